/**
 * The real worker in a real control group (cgroup v2) of a host without systemd. Where the machine
 * keeps its controllers to itself, groups limit nothing, but who is in them the kernel tells all the
 * same.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workerSpawner } from '../../../src/daemon/machine/spawn-worker.ts';
import { systemFolders } from '../../../src/host/sandbox/programs.ts';
import { machineClock, machineTimers } from '../../../src/daemon/machine/time.ts';
import { openDocumentParser } from '../../../src/daemon/worker/document-parser.ts';
import { localInstallation, newInstallationId } from '../../../src/host/local/installation.ts';
import { localSlices, machineSlices } from '../../../src/host/local/slices.ts';
import { localWorkerPlaces } from '../../../src/host/local/worker-places.ts';
import { slicePath } from '../../../src/model/identity.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { secondaryDocument } from '../../unit/documents/parsing.ts';
import { unlimited } from '../../support/unlimited-slice.ts';
import { until } from '../../support/until.ts';
import { runSandboxed, sandboxedBelow, temporaryFolder } from './sandboxed.ts';

const never = new AbortController().signal;
const partition = 'team-a' as PartitionName;
const installation = newInstallationId();
const ref = { path: slicePath({ installation, partition }) };
const folder = temporaryFolder();
const root = join(folder.path, 'cgroup');
const places = { ...machineSlices, root, systemd: '/nonexistent' };
const slices = localSlices(folder.path, places);
const workers = localWorkerPlaces(folder.path, places);
const group = `/unnest.partition/${ref.path.split('/').at(-1)}.partition/worker`;
const program = new URL('../../../dist/bin/unnest-worker.js', import.meta.url).pathname;

beforeAll(async () => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  if (!existsSync(program)) throw new Error('dist/ is not built: npm run build');
  mkdirSync(root);
  execFileSync('mount', ['--no-mtab', '-t', 'cgroup2', 'cgroup2', root]);
  await localInstallation(folder.path).record(installation);
  await slices.apply(ref, unlimited, never);
});
afterAll(() => {
  try {
    rmdirSync(join(root, 'unnest.partition'));
  } catch {
    // Others have slices of their own there.
  }
  execFileSync('umount', [root]);
  folder.remove();
});

function opened() {
  const runtime = { clock: machineClock, timers: machineTimers, random: () => 0 };
  return openDocumentParser(workerSpawner({ program, folders: systemFolders }), workers, runtime);
}

const files = [{ path: 'a.yaml', text: secondaryDocument('web') }];
const groupOf = (pid: number | string) =>
  /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
const membersOf = () =>
  readFileSync(join(root, group, 'cgroup.procs'), 'utf8')
    .split('\n')
    .filter(Boolean);

test('reads documents in the slice of its partition, with all that belongs to it', async () => {
  const parser = opened();
  expect(await parser.parse(partition, files, never)).toMatchObject({ status: 'parsed' });
  const [worker] = sandboxedBelow(process.pid);
  const pid = worker?.pid ?? 0;
  expect(groupOf(pid)).toBe(group);
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('1000\n');
  // bubblewrap outside, its first process inside, and Node.
  expect(membersOf()).toHaveLength(3);
  expect(groupOf(process.pid)).not.toBe(group);
  await parser.close();
  await until('nobody is in it', membersOf, ({ length }) => length === 0);
});

test('is out of the way when the slice goes, and reads where the daemon is from then on', async () => {
  const parser = opened();
  await parser.parse(partition, files, never);
  await expect(slices.remove(ref, never)).rejects.toMatchObject({ code: 'Refused' });
  const removed = parser.without(partition, () => slices.remove(ref, never));
  const reading = parser.parse(partition, files, never);
  await removed;
  expect(await slices.find(ref, never)).toEqual({ status: 'absent' });
  expect(await reading).toMatchObject({ status: 'parsed' });
  const [worker] = sandboxedBelow(process.pid);
  expect(groupOf(worker?.pid ?? 0)).toBe(groupOf(process.pid));
  await slices.apply(ref, unlimited, never);
  await parser.parse(partition, files, never);
  const [next] = sandboxedBelow(process.pid);
  expect(groupOf(next?.pid ?? 0)).toBe(group);
  await parser.close();
  await slices.remove(ref, never);
});

test('one that is not seen there never begins', async () => {
  const elsewhere = {
    path: ref.path,
    launcher: null,
    // After a time in which it would have begun, and in which its sandbox waits for the filter.
    enter: async () => {
      await new Promise((done) => setTimeout(done, 1000));
      throw new Error('as the test says');
    },
    left: async () => undefined,
  };
  const code = `process.stdout.write('it begins DONE');`;
  const { said, ended } = runSandboxed(folder.path, code, systemFolders, elsewhere);
  expect(await said).toBe('');
  const message = `it was not brought into ${ref.path}: as the test says`;
  expect(await ended).toEqual({ kind: 'not-placed', message });
});
