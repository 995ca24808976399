import { expect, test } from 'vitest';
import { runProgram } from '../../../src/bin/run-program.ts';

const never = new AbortController().signal;

test('its exit code is what comes of it, and nothing of its words is a shell’s', async () => {
  expect(
    await runProgram('sh', ['-c', 'test "$1" = \'$(id); x\' && exit 3', 'sh', '$(id); x'], never),
  ).toBe(3);
  expect(await runProgram('sh', ['-c', 'kill -9 $$'], never)).toBe(137);
});

test('one that is not there is an error with what to do', async () => {
  await expect(runProgram('no-such-program', [], never)).rejects.toMatchObject({
    exitCode: 64,
    remedy: expect.stringContaining('openssh-client'),
  });
});

test('it ends when we are to', async () => {
  const stop = new AbortController();
  const running = runProgram('sleep', ['60'], stop.signal);
  setTimeout(() => stop.abort(), 100);
  expect(await running).toBe(143);
});
