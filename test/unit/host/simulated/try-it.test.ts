/** `--host sim:FILE` from the command line: "Try it without libvirt" of README, and what goes wrong. */
import { Readable } from 'node:stream';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adapters } from '../../../../src/bin/adapters.ts';
import type { Environment, Output } from '../../../../src/cli/environment.ts';
import { main } from '../../../../src/cli/main.ts';
import { newInstallationId } from '../../../../src/host/local/installation.ts';
import { lockPartition } from '../../../../src/host/local/lock.ts';
import type { PartitionName } from '../../../../src/model/names.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

let dir: string;
let host: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-try-'));
  host = `sim:${join(dir, 'host.json')}`;
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function unnest(...argv: readonly string[]): Promise<Ran> {
  const texts = { stdout: '', stderr: '' };
  const outputTo = (name: keyof typeof texts): Output => ({
    write: (text) => {
      texts[name] += text;
    },
    taken: async () => undefined,
    isTerminal: false,
    columns: 80,
  });
  const { signal } = new AbortController();
  const environment: Environment = {
    variables: new Map([['UNNEST_HOST', host]]),
    stdout: outputTo('stdout'),
    stderr: outputTo('stderr'),
    ask: null,
    terminal: null,
    standardInput: () => Readable.from([]),
    readStandardInput: async () => new Uint8Array(),
    ...adapters,
    newInstallationId,
    now: () => performance.now(),
    stop: signal,
    abort: signal,
  };
  return { code: await main(argv, '0', environment), ...texts };
}

const documents = join(root, 'examples/demo/secondaries.yaml');

describe('README', () => {
  test('lists commands that do what they say, on a host in a file', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('## Try it'), readme.indexOf('## Use it'));
    const commands = [...section.matchAll(/^\$ unnest (.*)$/gm)].map(([, text = '']) => text);
    const told: Record<string, string> = {};
    for (const command of commands) {
      const ran = await unnest(...command.replace('examples/', `${root}examples/`).split(' '));
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      told[command.split(' ')[0] ?? ''] = ran.stdout;
    }
    expect(told).toMatchObject({
      doctor: expect.stringContaining('holds 0 domains; no guest really runs'),
      plan: expect.stringContaining('Plan: 2 to create'),
      apply: expect.stringContaining('Operations: 5 done'),
      get: expect.stringMatching(/web +Running.*\nworker +Running/),
      console: expect.stringContaining('simulated guest web booted: 1 vCPU, 128 MiB'),
      destroy: expect.stringContaining('Plan: 2 to delete'),
    });
  });
});

describe('--host sim:', () => {
  test('another apply is refused while one holds the partition of that file', async () => {
    const lock = await lockPartition(join(dir, 'host.json'), 'default' as PartitionName);
    expect(await unnest('apply', '-f', documents)).toMatchObject({ code: 7 });
    host = `sim:${join(dir, 'other.json')}`;
    expect(await unnest('apply', '-f', documents)).toMatchObject({ code: 0 });
    await lock.release();
  });

  test('?files=listed: what the file does not list is not there', async () => {
    host = `${host}?files=listed`;
    const ran = await unnest('plan', '-f', documents);
    expect(ran).toMatchObject({ code: 3 });
    expect(ran.stdout).toContain('FileMissing');
  });

  test.each(['sim:', 'sim:x?files=none', 'sim:x?file=any', 'sim:x?files=any?'])(
    '%s is refused in words',
    async (uri) => {
      host = uri;
      const ran = await unnest('plan', '-f', documents);
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).toContain('expected sim:FILE');
      expect((await unnest('doctor')).stdout).toContain('expected sim:FILE');
    },
  );

  test.each([['get'], ['destroy', '--all', '--yes'], ['plan', '-f', documents]])(
    'what cannot be read is not taken for empty: %s',
    async (...argv) => {
      host = `sim:${documents}`;
      const ran = await unnest(...argv);
      expect([3, 5]).toContain(ran.code);
      expect(`${ran.stdout}${ran.stderr}`).toContain('does not hold a simulated host');
    },
  );

  test('doctor says what is wrong with a file', async () => {
    host = `sim:${documents}`;
    const ran = await unnest('doctor');
    expect(ran).toMatchObject({ code: 5 });
    expect(ran.stdout).toContain('does not hold a simulated host');
  });
});
