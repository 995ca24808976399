/** Slices as control groups in the file system, on a machine without systemd. */
import { rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SliceFields, SliceRef } from '../../model/slice.ts';
import { HostError } from '../host-error.ts';
import { hasErrno } from './io-error.ts';
import { makeGroup, textIn, write } from './slice-files.ts';
import type { SliceMaker } from './slices.ts';

export function groupSlices(root: string): SliceMaker {
  return {
    folder: folderOf,
    apply: async (ref, fields, device) => {
      const [parent, folder] = [join(root, parentOf(ref)), join(root, folderOf(ref))];
      await enableControllers(root);
      await makeGroup(parent);
      await enableControllers(parent);
      await makeGroup(folder);
      await writeLimits(folder, fields, device);
      // libvirt limits single guests only where it finds this done.
      await enableControllers(folder);
    },
    promise: (ref, memoryMinBytes) =>
      write(join(root, parentOf(ref)), 'memory.min', `${memoryMinBytes}`),
    remove: (ref) => remove(join(root, folderOf(ref))),
  };
}

/** As libvirt spells `/unnest/pX` where it makes groups itself. */
function folderOf(ref: SliceRef): string {
  return ref.path
    .slice(1)
    .split('/')
    .map((name) => `${name}.partition`)
    .join('/');
}

function parentOf(ref: SliceRef): string {
  return `${ref.path.slice(1, ref.path.lastIndexOf('/'))}.partition`;
}

const controllers = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

/** One by one: a single one that is not there has the kernel refuse all that are written with it. */
async function enableControllers(folder: string): Promise<void> {
  const offered = ((await textIn(folder, 'cgroup.controllers')) ?? '').trim().split(' ');
  const enabled = ((await textIn(folder, 'cgroup.subtree_control')) ?? '').trim().split(' ');
  for (const name of controllers) {
    if (!offered.includes(name) || enabled.includes(name)) continue;
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${name}`);
  }
}

const periodUs = 100_000;
/** The kernel's, for a group of which nobody says it. */
const cpuWeightDefault = 100;

async function writeLimits(
  folder: string,
  fields: SliceFields,
  device: string | null,
): Promise<void> {
  const limit = (value: number | null) => (value === null ? 'max' : `${value}`);
  await write(folder, 'memory.max', limit(fields.memoryMaxBytes));
  await write(folder, 'memory.swap.max', limit(fields.swapMaxBytes));
  const quota = fields.cpus === null ? 'max' : `${fields.cpus * periodUs}`;
  await write(folder, 'cpu.max', `${quota} ${periodUs}`);
  await write(folder, 'cpu.weight', `${fields.cpuWeight ?? cpuWeightDefault}`);
  await write(folder, 'cpuset.cpus', `${fields.cpuset ?? ''}\n`);
  await write(folder, 'memory.min', `${fields.memoryMinBytes ?? 0}`);
  await write(folder, 'pids.max', limit(fields.pidsMax));
  if (device === null) return;
  const bytes = limit(fields.diskBytesPerSecond);
  const operations = limit(fields.diskOperationsPerSecond);
  const disk = `${device} rbps=${bytes} wbps=${bytes} riops=${operations} wiops=${operations}`;
  await write(folder, 'io.max', disk);
}

/** Below a slice's: where its worker runs. */
export const WORKER_GROUP = 'worker';
/** And where images are looked into. */
export const IMAGES_GROUP = 'images';
/** And where they are fetched. */
export const FETCH_GROUP = 'fetch';

/** With what a worker and its like have left of it. */
async function remove(slice: string): Promise<void> {
  const inside = [WORKER_GROUP, IMAGES_GROUP, FETCH_GROUP].map((name) => join(slice, name));
  for (const folder of [...inside, slice]) await removeGroup(folder);
}

async function removeGroup(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    if (hasErrno(error, 'EBUSY')) throw new HostError('Refused', 'somebody is still in it');
    throw error;
  }
}
