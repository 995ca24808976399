/**
 * Places in the slices of this machine for what reads a tenant's bytes: a scope of systemd's where it
 * runs, and a group below the slice's otherwise, since no process may be in one that has groups below
 * it. Each has a little memory that guests do not press out. Workers have a weight by which documents
 * are read, though slowly, where guests take all there is: they are how a tenant asks for less.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { slicePath } from '../../model/identity.ts';
import type { PartitionName } from '../../model/names.ts';
import { HostError } from '../host-error.ts';
import type { WorkerPlace, WorkerPlaces } from '../worker-places.ts';
import { attempt } from './attempt.ts';
import { FETCH_GROUP, IMAGES_GROUP, WORKER_GROUP } from './group-slices.ts';
import { localInstallation } from './installation.ts';
import { groupsOf, isGroup, isPopulated, makeGroup, textIn, write } from './slice-files.ts';
import { hasSlices, machineSlices, makerFor, type SlicePlaces } from './slices.ts';

/** Of what an idle worker has, most is the code of Node, which is shared. */
const memoryMinBytes = 32 * 2 ** 20;

/** What a place is for. */
interface Purpose {
  /** Of the group, and in the scope's name. */
  readonly group: string;
  readonly does: string;
  /** A guest of libvirt's has 100. */
  readonly cpuWeight: number;
}

const forDocuments = { group: WORKER_GROUP, does: 'reads the documents', cpuWeight: 400 };
const forFetches = { group: FETCH_GROUP, does: 'fetches images', cpuWeight: 100 };
const forImages = { group: IMAGES_GROUP, does: 'looks into the images', cpuWeight: 100 };

export function localWorkerPlaces(
  stateDir: string,
  places: SlicePlaces = machineSlices,
): WorkerPlaces {
  return placesFor(forDocuments, stateDir, places);
}

/** Where tools look into a partition's images, one in each place. */
export function localImagePlaces(
  stateDir: string,
  places: SlicePlaces = machineSlices,
): WorkerPlaces {
  return placesFor(forImages, stateDir, places);
}

/** Where a partition's images are fetched, one at a time. */
export function localFetchPlaces(
  stateDir: string,
  places: SlicePlaces = machineSlices,
): WorkerPlaces {
  return placesFor(forFetches, stateDir, places);
}

function placesFor(purpose: Purpose, stateDir: string, places: SlicePlaces): WorkerPlaces {
  return {
    find: (partition, signal) =>
      attempt(`looking for the slice of ${partition}`, signal, () =>
        find(partition, purpose, stateDir, places),
      ),
  };
}

async function find(
  partition: PartitionName,
  purpose: Purpose,
  stateDir: string,
  places: SlicePlaces,
): Promise<WorkerPlace | null> {
  if (!hasSlices(places)) return null;
  const installation = await localInstallation(stateDir).read();
  if (installation === null) return null;
  const path = slicePath({ installation, partition });
  const folder = makerFor(places).folder({ path });
  if (!(await isGroup(join(places.root, folder)))) return null;
  return existsSync(places.systemd)
    ? scopePlace(path, folder, { ...purpose, partition }, places)
    : groupPlace(path, folder, purpose, places);
}

function scopePlace(
  path: string,
  slice: string,
  { group, does, cpuWeight, partition }: Purpose & { readonly partition: PartitionName },
  { root, proc }: SlicePlaces,
): WorkerPlace {
  const unit = `unnest-${group}-${randomUUID().slice(0, 8)}.scope`;
  const folder = `${slice}/${unit}`;
  return {
    path,
    launcher: {
      program: 'systemd-run',
      args: [
        '--scope',
        '--quiet',
        '--collect',
        '--no-ask-password',
        `--unit=${unit}`,
        `--slice=${slice.slice(slice.lastIndexOf('/') + 1)}`,
        `--description=unnest: ${does} of ${partition}`,
        `--property=MemoryMin=${memoryMinBytes}`,
        `--property=CPUWeight=${cpuWeight}`,
        '--',
      ],
    },
    // What it starts is where it is by then.
    enter: (pid, signal) => until(() => isIn(pid, folder, proc), folder, signal),
    left: () => whenEmpty(join(root, folder)),
  };
}

function groupPlace(
  path: string,
  slice: string,
  { group, cpuWeight }: Purpose,
  { root, proc }: SlicePlaces,
): WorkerPlace {
  const folder = `${slice}/${group}`;
  const whole = join(root, folder);
  return {
    path,
    launcher: null,
    enter: (pid, signal) =>
      attempt(`bringing a process into ${path}`, signal, async () => {
        await makeGroup(whole);
        await write(whole, 'memory.min', `${memoryMinBytes}`);
        await write(whole, 'cpu.weight', `${cpuWeight}`);
        await bringIn(pid, whole, folder, proc);
      }),
    left: () => whenEmpty(whole),
  };
}

/**
 * A process first and then those that it had started before: whatever it starts later is where it
 * is. So nobody is missed, as long as nobody's parent ends meanwhile.
 */
async function bringIn(pid: number, whole: string, folder: string, proc: string): Promise<void> {
  await writeFile(join(whole, 'cgroup.procs'), `${pid}`);
  if (!(await isIn(pid, folder, proc))) throw outside(folder);
  for (const child of await childrenOf(pid, proc)) await bringIn(child, whole, folder, proc);
}

async function childrenOf(pid: number, proc: string): Promise<readonly number[]> {
  const tasks = join(proc, `${pid}`, 'task');
  const texts = await Promise.all(
    (await readdir(tasks)).map((task) => textIn(join(tasks, task), 'children')),
  );
  if (texts.includes(null)) {
    throw new HostError('Unsupported', 'this kernel does not tell the children of a process');
  }
  return texts.flatMap((text) => (text ?? '').split(' ').filter(Boolean).map(Number));
}

async function isIn(pid: number, folder: string, proc: string): Promise<boolean> {
  const groups = await groupsOf(pid, proc);
  return groups.length > 0 && groups.every((group) => group === `/${folder}`);
}

const pollMs = 5;
/** systemd may have much to do. */
const enterMs = 5000;
const leaveMs = 1000;

async function until(
  isSo: () => Promise<boolean>,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  if (await within(enterMs, isSo, signal)) return;
  throw outside(folder);
}

/** Processes that have ended are counted for a moment longer than they can be seen. */
async function whenEmpty(folder: string): Promise<void> {
  const isEmpty = async () => !(await isGroup(folder)) || !(await isPopulated(folder));
  await within(leaveMs, isEmpty, null).catch(() => false);
}

async function within(
  timeMs: number,
  isSo: () => Promise<boolean>,
  signal: AbortSignal | null,
): Promise<boolean> {
  for (let leftMs = timeMs; leftMs > 0; leftMs -= pollMs) {
    if (signal?.aborted === true) return false;
    if (await isSo()) return true;
    await new Promise((done) => setTimeout(done, pollMs));
  }
  return false;
}

function outside(folder: string): HostError {
  return new HostError('Refused', `the kernel does not show it in /${folder}`);
}
