/**
 * Slices on this machine: made by systemd where it runs, since the tree of control groups is its own
 * then, and in the file system otherwise. Both are laid out as libvirt looks for them.
 */
import { existsSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DomainRef } from '../../model/domain.ts';
import { absent, present } from '../../model/observation.ts';
import type { SliceFields, SliceRef } from '../../model/slice.ts';
import { HostError } from '../host-error.ts';
import type { SliceReader, SliceWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { groupSlices } from './group-slices.ts';
import {
  groupsOf,
  isGroup,
  isPopulated,
  memoryPromises,
  pidIn,
  readFields,
  readMemoryMin,
  readUsage,
} from './slice-files.ts';
import { giveAllCpus, isExclusive, readCpus, separateCpus } from './slice-cpus.ts';
import { systemdSlices } from './systemd-slices.ts';

/** Where things are on a machine; a test has them elsewhere. */
export interface SlicePlaces {
  /** The mount of cgroup v2. */
  readonly root: string;
  readonly proc: string;
  /** Where libvirt puts the process ids of its guests. */
  readonly pids: string;
  /** There where systemd runs (sd_booted(3)). */
  readonly systemd: string;
  readonly sysDevBlock: string;
  /** Whether Volumes are in a thin pool, whose disks nobody has limited yet: then no limit of disks holds. */
  readonly hasThinPool: boolean;
}

export const machineSlices: SlicePlaces = {
  root: '/sys/fs/cgroup',
  proc: '/proc',
  pids: '/run/libvirt/qemu',
  systemd: '/run/systemd/system',
  sysDevBlock: '/sys/dev/block',
  hasThinPool: false,
};

/** Who makes and changes them. `folder`: below the root. */
export interface SliceMaker {
  folder(ref: SliceRef): string;
  /** @param device of the store, for what limits disks */
  apply(
    ref: SliceRef,
    fields: SliceFields,
    device: string | null,
    signal: AbortSignal,
  ): Promise<void>;
  /** Of the group that all slices are in: what those in it are promised counts only as far as it is. */
  promise(ref: SliceRef, memoryMinBytes: number, signal: AbortSignal): Promise<void>;
  remove(ref: SliceRef, signal: AbortSignal): Promise<void>;
}

export function localSliceReader(
  stateDir: string,
  places: SlicePlaces = machineSlices,
): SliceReader {
  return {
    find: (ref, signal) =>
      attempt(`reading ${ref.path}`, signal, () => find(ref, stateDir, places)),
    contains: (ref, domain, signal) =>
      attempt(`looking for ${domain.domainName} in ${ref.path}`, signal, () =>
        contains(ref, domain, places),
      ),
  };
}

export function localSlices(
  stateDir: string,
  places: SlicePlaces = machineSlices,
): SliceReader & SliceWriter {
  return {
    ...localSliceReader(stateDir, places),
    apply: (ref, fields, signal) =>
      attempt(`limiting ${ref.path}`, signal, async () => {
        const device = needsDevice(fields) ? await requireDisk(stateDir, places) : null;
        const maker = makerFor(places);
        await maker.apply(ref, fields, device, signal);
        await promiseAll(maker, ref, places, signal);
        const folder = join(places.root, maker.folder(ref));
        if (fields.cpuset === null) await giveAllCpus(folder);
        await separateCpus(folder, fields);
      }),
    remove: (ref, signal) =>
      attempt(`removing ${ref.path}`, signal, async () => {
        const maker = makerFor(places);
        const folder = join(places.root, maker.folder(ref));
        // systemd would end whatever is in it.
        if (await isPopulated(folder)) throw new HostError('Refused', 'somebody is still in it');
        await separateCpus(folder, { cpuset: null, exclusiveCpus: false });
        await maker.remove(ref, signal);
        await promiseAll(maker, ref, places, signal);
      }),
  };
}

/** The sum, until it is: another slice may be changed at the same time. */
async function promiseAll(
  maker: SliceMaker,
  ref: SliceRef,
  { root }: SlicePlaces,
  signal: AbortSignal,
): Promise<void> {
  const parent = dirname(join(root, maker.folder(ref)));
  for (;;) {
    const { own, theirs } = await memoryPromises(parent);
    if (own === theirs) return;
    await maker.promise(ref, theirs, signal);
    signal.throwIfAborted();
    const after = await memoryPromises(parent);
    // One that the kernel has no file for, or that has gone with the last slice in it.
    if (after.own === own && after.theirs === theirs) return;
  }
}

/** Whether the host has cgroup v2. */
export function hasSlices({ root }: SlicePlaces): boolean {
  return existsSync(join(root, 'cgroup.controllers'));
}

export function makerFor(places: SlicePlaces): SliceMaker {
  const { root, systemd } = places;
  if (!hasSlices(places)) {
    const message = `this host has no cgroup v2 at ${root}, which limits need; \`limits.enforcement: Admission\` does without`;
    throw new HostError('Unsupported', message);
  }
  return existsSync(systemd) ? systemdSlices(root) : groupSlices(root);
}

async function find(ref: SliceRef, stateDir: string, places: SlicePlaces) {
  const folder = join(places.root, makerFor(places).folder(ref));
  if (!(await isGroup(folder))) return absent;
  const device = await diskOf(stateDir, places);
  const [fields, usage, memoryMinBytes, cpus] = await Promise.all([
    readFields(folder, device),
    readUsage(folder),
    readMemoryMin(folder),
    readCpus(folder),
  ]);
  const exclusiveCpus = isExclusive(cpus);
  return present({
    path: ref.path,
    fields: { ...fields, memoryMinBytes, exclusiveCpus },
    cpus,
    usage,
  });
}

async function contains(ref: SliceRef, { domainName }: DomainRef, places: SlicePlaces) {
  const pid = await pidIn(places.pids, `${domainName}.pid`);
  if (pid === null) return false;
  const groups = await groupsOf(pid, places.proc);
  const prefix = `/${makerFor(places).folder(ref)}/`;
  return groups.length > 0 && groups.every((group) => `${group}/`.startsWith(prefix));
}

function needsDevice({ diskBytesPerSecond, diskOperationsPerSecond }: SliceFields): boolean {
  return diskBytesPerSecond !== null || diskOperationsPerSecond !== null;
}

async function requireDisk(stateDir: string, places: SlicePlaces): Promise<string> {
  const device = await diskOf(stateDir, places);
  if (device !== null) return device;
  const message = places.hasThinPool
    ? 'Volumes of this host are in a thin pool, and the disks of one are not limited: take diskBandwidthPerSecond and diskOperationsPerSecond out of the limits'
    : `${stateDir} is on no disk of its own that the kernel could limit`;
  throw new HostError('Unsupported', message);
}

/**
 * `MAJOR:MINOR` of the whole disk that a folder is on: the kernel limits no partitions of one. Null
 * for a file system that has no one disk.
 */
async function diskOf(
  stateDir: string,
  { sysDevBlock, hasThinPool }: SlicePlaces,
): Promise<string | null> {
  // One limit on the disk of the files would only look as if all of them were limited.
  if (hasThinPool) return null;
  try {
    const { dev } = await stat(stateDir);
    const link = join(sysDevBlock, deviceOf(dev));
    if (!existsSync(link)) return null;
    const folder = await realpath(link);
    const disk = existsSync(join(folder, 'partition')) ? dirname(folder) : folder;
    return basename(disk) === '' ? null : (await readFile(join(disk, 'dev'), 'utf8')).trim();
  } catch {
    // What cannot be looked at cannot be limited, and that is said where somebody asks for it.
    return null;
  }
}

/** As `makedev(3)` packs the two in 64 bits. */
function deviceOf(dev: number): string {
  const value = BigInt(dev);
  const major = ((value >> 32n) & 0xfffff000n) | ((value >> 8n) & 0xfffn);
  const minor = ((value >> 12n) & 0xffffff00n) | (value & 0xffn);
  return `${major}:${minor}`;
}
