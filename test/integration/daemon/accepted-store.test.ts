/**
 * Accepted bundles on a real disk, where the process that accepts is killed (SIGKILL, no handler, no
 * finally) again and again: what it has said to be accepted is there, and nothing is torn.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AcceptedStore, openAccepted } from '../../../src/daemon/accepted/accepted-store.ts';
import { emptied } from '../../../src/daemon/accepted/operator-submissions.ts';
import { openWishes } from '../../../src/daemon/accepted/wishes.ts';
import { machineFiles } from '../../../src/daemon/machine/files.ts';
import type { PartitionName } from '../../../src/model/names.ts';

const src = fileURLToPath(new URL('../../../src/', import.meta.url));
const partition = 'team-a' as PartitionName;
const at = '2026-01-31T12:00:00Z';

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'unnest-accepted-'));
});
afterEach(() => rm(state, { recursive: true }));

async function opened(): Promise<AcceptedStore> {
  const result = await openAccepted(machineFiles, state, partition);
  if (result.status === 'open') return result.store;
  throw new Error(result.message);
}

/** Accepts without end, each time other documents, and says the generation of each. */
const accepting = `
  import { openAccepted } from '${src}daemon/accepted/accepted-store.ts';
  import { machineFiles } from '${src}daemon/machine/files.ts';
  const { store } = await openAccepted(machineFiles, process.argv[1], '${partition}');
  for (let n = store.inForce?.generation ?? 0; ; n += 1) {
    const documents = [{ file: 'a', value: { n, text: 'x'.repeat(200_000) } }];
    const submission = { partition: '${partition}', source: 'Apply', submitter: 'x', documents,
      generation: null, ifGeneration: null, deleteEverything: false, deletionsMax: null };
    const { bundle } = await store.accept(submission, new Date().toISOString());
    console.log(bundle.generation);
  }`;

/** @returns the last generation that it has said */
async function acceptUntilKilled(times: number): Promise<number> {
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', accepting, state];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let last = 0;
  let left = times;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    left -= 1;
    if (left === 0) child.kill('SIGKILL');
  }
  await ended;
  return last;
}

test('a process that is killed loses nothing that it has accepted', async () => {
  for (const times of [1, 2, 3, 5, 25, 4]) {
    const last = await acceptUntilKilled(times);
    const store = await opened();
    expect(store.torn).toEqual([]);
    expect([last, last + 1]).toContain(store.inForce?.generation);
    expect(store.inForce?.documents).toHaveLength(1);
  }
  const store = await opened();
  const generation = store.history[1]?.generation ?? 0;
  await store.rollback({ generation, ifGeneration: null, source: 'Apply', submitter: 'x' }, at);
  const names = await readdir(join(state, partition, 'accepted'));
  expect(names.filter((name) => !/^\d{12}\.json$/.test(name))).toEqual([]);
  expect(names.length).toBeLessThanOrEqual(20);
});

test('nobody else may read what is kept', async () => {
  const store = await opened();
  const wishes = await openWishes(machineFiles, state, partition);
  await store.accept(emptied(partition, 'Apply', 'uid 0'), at);
  expect(await wishes.setDrain({ submitter: 'uid 0', at })).toEqual({ status: 'ok' });
  const again = await openWishes(machineFiles, state, partition);
  expect(again.drain).toEqual({ submitter: 'uid 0', at });
  expect((await opened()).inForce).toEqual(store.inForce);
  const modeOf = async (path: string) => (await stat(join(state, partition, path))).mode & 0o777;
  expect(await modeOf('accepted')).toBe(0o700);
  expect(await modeOf('accepted/000000000001.json')).toBe(0o600);
  expect(await modeOf('wishes.json')).toBe(0o600);
});

test('the folder of a partition lets QEMU pass, and that of its documents nobody', async () => {
  const store = await opened();
  await store.accept(emptied(partition, 'Apply', 'uid 0'), at);
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  expect((await modeOf(join(state, partition))) & 0o011).toBe(0o011);
  expect(await modeOf(join(state, partition, 'accepted'))).toBe(0o700);
});
