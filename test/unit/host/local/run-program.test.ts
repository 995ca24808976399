import { describe, expect, test } from 'vitest';
import { runProgram, type ProgramRun } from '../../../../src/host/local/run-program.ts';

const run = (script: string, overrides: Partial<ProgramRun> = {}) =>
  runProgram({
    command: 'sh',
    args: ['-c', script],
    remedy: 'install a shell',
    timeLimitMs: 60_000,
    outputBytesMax: 1000,
    signal: new AbortController().signal,
    ...overrides,
  });

describe('a program', () => {
  test('gives what it wrote, knows next to no environment and has nothing to read', async () => {
    process.env['UNNEST_SECRET'] = 'x';
    expect(await run('echo "$LC_ALL:$UNNEST_SECRET:$PWD:$(cat)"')).toBe('C::/:\n');
  });

  test('reads what it is given, however long, or does not', async () => {
    const input = 'x'.repeat(2 ** 20);
    expect(await run('wc -c', { input })).toBe(`${2 ** 20}\n`);
    expect(await run('echo done', { input })).toBe('done\n');
    await expect(run('exit 3', { input })).rejects.toMatchObject({ code: 'Refused' });
  });

  test('gets its arguments as they are', async () => {
    const args = ['-c', 'echo "$1"', 'sh', '$(id); `id` *'];
    expect(await run('', { args })).toBe('$(id); `id` *\n');
  });

  test('that fails is quoted, in its first lines', async () => {
    const call = run('echo out; for i in 1 2 3 4 5; do echo "line $i" >&2; done; exit 3');
    await expect(call).rejects.toMatchObject({
      code: 'Refused',
      cause: { message: 'line 1\nline 2\nline 3' },
    });
    const silent = run('exit 3');
    await expect(silent).rejects.toMatchObject({ cause: { message: 'it ended with 3' } });
    const killed = run('kill -9 $$');
    await expect(killed).rejects.toMatchObject({
      cause: { message: 'it ended by signal SIGKILL' },
    });
  });

  test('that is not there is missed, with what to do about it', async () => {
    const call = run('', { command: 'unnest-nosuch', remedy: 'install unnest-utils' });
    await expect(call).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('install unnest-utils'),
    });
  });

  // What each of these started sleeps on, and would hold the pipes open.
  test('is killed with all it started: when its time is over', async () => {
    const call = run('sleep 1000 & sleep 1000', { timeLimitMs: 200 });
    await expect(call).rejects.toMatchObject({ code: 'Timeout' });
  });

  test('is killed with all it started: when it is no longer wanted', async () => {
    const signal = AbortSignal.timeout(200);
    const call = run('sleep 1000 & sleep 1000', { signal });
    await expect(call).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(run('echo', { signal })).rejects.toMatchObject({ code: 'Cancelled' });
  });

  test('is killed with all it started: when it has too much to say', async () => {
    const call = run('sleep 1000 & yes');
    await expect(call).rejects.toMatchObject({ code: 'Protocol' });
  });
});
