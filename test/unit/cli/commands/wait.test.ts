import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adapters } from '../../../../src/bin/adapters.ts';
import { secondaryDocument } from '../../documents/parsing.ts';
import { run } from '../run.ts';
import { inTime } from '../time-up.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-wait-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (...argv: string[]) => [...argv, '--host', `sim:${join(folder, 'host.json')}`];
const wait = (...argv: string[]) => run(at('wait', ...argv), { stdin: documents });
/** The time is over when it begins to look for the second time. */
const untilLooked = (...argv: string[]) =>
  inTime((timeout, timeIsUp) => {
    let looks = 0;
    const openView: typeof adapters.openView = async (...where) => {
      const opened = await adapters.openView(...where);
      const { installation } = opened.host;
      const read = () => {
        looks += 1;
        if (looks === 2) timeIsUp();
        return installation.read();
      };
      return { ...opened, host: { ...opened.host, installation: { ...installation, read } } };
    };
    return run(at('wait', ...argv, ...timeout), { stdin: documents, programs: { openView } });
  });
const documents = secondaryDocument('web') + secondaryDocument('idle', 'runPolicy: Halted');

test('ends when it is so, and says what is true if it does not become so in time', async () => {
  const before = await untilLooked('web', '--for', 'running');
  expect(before).toMatchObject({ code: 6, stdout: '' });
  expect(before.stderr).toContain('while waiting for web running: web is not there');
  expect((await untilLooked('--for', 'synced', '-f', '-')).stderr).toContain(': 2 to create');

  const soon = ['--timeout', '60'];
  const applied = wait('web', '--for', 'running', ...soon);
  expect((await run(at('apply', '-f', '-'), { stdin: documents })).code).toBe(0);
  expect(await applied).toEqual({ code: 0, stdout: '', stderr: '' });
  expect((await wait('--for', 'synced', '-f', '-', ...soon)).code).toBe(0);
  expect((await wait('idle', '--for', 'stopped', ...soon)).code).toBe(0);
  expect((await wait('nobody', '--for', 'deleted', ...soon)).code).toBe(0);
  const both = await untilLooked('web', 'idle', '--for', 'stopped');
  expect(both.stderr).toContain(': web is Running');
});

test.each([
  [['--for', 'running'], 'nothing was named'],
  [['web', '--for', 'synced', '-f', '-'], 'names do not go with --for synced'],
  [['--for', 'synced'], 'no documents were given'],
  [['web', '-f', '-'], 'documents are for --for synced'],
  [['web', '--for', 'ready'], 'only unnestd knows whether a guest is ready'],
  [['web', '--for', 'gone'], 'Allowed choices are ready, running, stopped, deleted, synced'],
])('%j is refused', async (argv, message) => {
  const { code, stderr } = await wait(...argv);
  expect(code).toBe(64);
  expect(stderr).toContain(message);
});
