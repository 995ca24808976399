/**
 * Volumes as logical volumes of a thin pool. Each bears a tag of ours from the step on in which it comes to be; what has
 * none is somebody else's, and stays. All have LVM's flag that nothing activates them in passing, at a boot or by
 * `vgchange`: they are made active here, once udev is known to leave them alone.
 */
import type { PartitionOwner } from '../../model/identity.ts';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import { type Observation, present, unknown } from '../../model/observation.ts';
import {
  devicePath,
  logicalVolumeName,
  ownerTag,
  poolName,
  roundedUp,
  type ThinPool,
} from '../../model/thin-pool.ts';
import type { ObservedVolume } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { takingTurns } from '../turns.ts';
import type { LogicalVolume, Lvm, VolumeGroup } from './lvm.ts';
import type { VolumeRecord } from './record.ts';
import { grainIn, poolIn, promisedIn, storeIn, zeroingObjection } from './thin-pool.ts';
import type { Udev } from './udev-rule.ts';

/** What the logical volumes of this machine are worked on with. */
export interface ThinTools {
  readonly lvm: Lvm;
  readonly udev: Udev;
}

/** One of ours, whether or not it is there. */
export interface ThinPlace extends ThinPool {
  readonly logicalVolume: string;
  readonly tag: string;
}

export type ThinRecord = VolumeRecord & {
  readonly thin: NonNullable<VolumeRecord['thin']>;
};

export function isThin(record: VolumeRecord): record is ThinRecord {
  return record.thin !== undefined;
}

export function thinPlace(
  { group, pool }: ThinPool,
  owner: PartitionOwner,
  name: VolumeName,
): ThinPlace {
  const logicalVolume = logicalVolumeName(owner.partition, name);
  return { group, pool, logicalVolume, tag: ownerTag(owner, name) };
}

export function placeOf({ thin, installation, partition, name }: ThinRecord): ThinPlace {
  return thinPlace(thin, { installation, partition }, name);
}

/** Where one will be, whoever's installation it is. */
export function thinDevice(
  { group }: ThinPool,
  partition: PartitionName,
  volume: VolumeName,
): string {
  return devicePath(group, logicalVolumeName(partition, volume));
}

export function deviceOf({ group, logicalVolume }: ThinPlace): string {
  return devicePath(group, logicalVolume);
}

/** It is as large as LVM says; the record has what its guests were told. One that is not ready takes what is there of it. */
export function observedThin(
  record: ThinRecord,
  group: VolumeGroup,
): Observation<Pick<ObservedVolume, 'sizeBytes' | 'thin'>> {
  const place = placeOf(record);
  const found = group.volumes.get(place.logicalVolume);
  const name = nameOf(place);
  if (record.state !== 'ready') {
    const sizeBytes = found?.sizeBytes ?? 0;
    const thin = { pool: poolName(place), unfit: null, grainBytes: 1, toldBytes: sizeBytes };
    return present({ sizeBytes, thin });
  }
  if (found === undefined) return unknown(`its record is there, and ${name} is not`);
  if (!isOurs(found, place)) return unknown(`${name} is not the one that its record is about`);
  const { sizeBytes } = found;
  const { sizeBytes: toldBytes } = record.thin;
  if (sizeBytes < toldBytes) return unknown(`${name} is smaller than it was made`);
  const unfit = zeroingObjection(group, place);
  const grainBytes = grainIn(group, place);
  return present({ sizeBytes, thin: { pool: poolName(place), unfit, grainBytes, toldBytes } });
}

/**
 * Between a look for room and taking it nobody else takes any. Of a logical volume that appears, or becomes larger,
 * udev is told: its rule has to be there before.
 */
async function taking<T>(
  { udev }: Pick<ThinTools, 'udev'>,
  thin: ThinPool,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  await udev.requireRule();
  return takingTurns(`thin pool ${poolName(thin)}`, act, signal);
}

/** Nothing but zeroes, and active. */
export async function makeBlank(
  { lvm, udev }: ThinTools,
  place: ThinPlace,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await taking({ udev }, place, signal, async () => {
    await requireRoom(lvm, place, sizeBytes, signal);
    const size = ['--type', 'thin', '--thinpool', place.pool, '--virtualsize', `${sizeBytes}b`];
    const mode = ['--activate', 'y', '--ignoreactivationskip', '--wipesignatures', 'n'];
    await lvm.change('lvcreate', [...size, ...mode, ...birthOf(place), place.group], signal);
    const now = await lvm.report(place.group, signal);
    const made = now.volumes.get(place.logicalVolume);
    // A crash of LVM's can leave a thin device that no logical volume has; who gets its number gets what is in it.
    if (made?.dataPercent !== 0) {
      throw new HostError('Refused', `${nameOf(place)} has something in it from the start`);
    }
    requireAllFit(now, place);
  });
  await udev.requireQuiet(deviceOf(place));
}

/** With the data of another, which nobody has open; not active. */
export async function makeSnapshot(
  { lvm, udev }: ThinTools,
  place: ThinPlace,
  source: ThinPlace,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await taking({ udev }, place, signal, async () => {
    const group = await requireRoom(lvm, place, sizeBytes, signal);
    const from = ownIn(group, source);
    if (source.group !== place.group || source.pool !== place.pool) {
      throw new HostError('Refused', `${nameOf(source)} is in another thin pool`);
    }
    if (from.sizeBytes > sizeBytes) {
      throw new HostError('Refused', `${nameOf(source)} is larger than a copy of it is to be`);
    }
    // Whoever has it open keeps it active; and LVM would have to stop it for a moment.
    if (from.isActive) await deactivate(lvm, source, signal);
    // By its type: for `--snapshot` LVM asks the kernel for a module that thin pools do not need.
    const mode = ['--type', 'thin', '--activate', 'n'];
    await lvm.change('lvcreate', [...mode, ...birthOf(place), nameOf(source)], signal);
    if (from.sizeBytes < sizeBytes) await extend(lvm, place, sizeBytes, signal);
    requireAllFit(await lvm.report(place.group, signal), place);
  });
}

/**
 * Its logical volume alone: who uses it has to be told, also where it was as large already.
 * @returns how large it is then
 */
export async function growThin(
  { lvm, udev }: ThinTools,
  place: ThinPlace,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<number> {
  return taking({ udev }, place, signal, async () => {
    const group = await lvm.report(place.group, signal);
    const found = ownIn(group, place);
    const wanted = roundedUp(sizeBytes, grainIn(group, place));
    if (found.sizeBytes > wanted) {
      throw new HostError('Conflict', `${nameOf(place)} has ${found.sizeBytes} bytes by now`);
    }
    if (found.sizeBytes === wanted) return wanted;
    checkRoom(group, place, wanted - found.sizeBytes);
    await extend(lvm, place, wanted, signal);
    return wanted;
  });
}

/** Before a guest gets it. */
export async function activate(
  { lvm, udev }: ThinTools,
  place: ThinPlace,
  signal: AbortSignal,
): Promise<void> {
  const group = await lvm.report(place.group, signal);
  const found = ownIn(group, place);
  const objection = zeroingObjection(group, place);
  if (objection !== null) throw new HostError('Refused', objection);
  await udev.requireRule();
  // One that is there may have been looked at before the rule was: udev begins anew when it appears anew.
  if (found.isActive && !(await isQuiet(udev, place))) await deactivate(lvm, place, signal);
  else if (found.isActive) return;
  const args = ['--activate', 'y', '--ignoreactivationskip', nameOf(place)];
  await lvm.change('lvchange', args, signal);
  try {
    await udev.requireQuiet(deviceOf(place));
  } catch (error) {
    await deactivate(lvm, place, signal).catch(() => undefined);
    throw error;
  }
}

async function isQuiet(udev: Udev, place: ThinPlace): Promise<boolean> {
  try {
    await udev.requireQuiet(deviceOf(place));
    return true;
  } catch {
    return false;
  }
}

/** With all that is on it. Of what is not there it is done already; whoever has it open keeps it. */
export async function removeThin(
  { lvm }: Pick<ThinTools, 'lvm'>,
  place: ThinPlace,
  signal: AbortSignal,
): Promise<void> {
  const found = (await lvm.report(place.group, signal)).volumes.get(place.logicalVolume);
  if (found === undefined) return;
  requireOurs(found, place);
  if (found.isOrigin) {
    const words = 'a snapshot that somebody has made of it would go with it: lvs shows it';
    throw new HostError('Conflict', `${nameOf(place)} stays: ${words}`);
  }
  await lvm.change('lvremove', ['--yes', nameOf(place)], signal);
}

/** @throws HostError `Conflict` if it is not there, or somebody else's */
function ownIn(group: VolumeGroup, place: ThinPlace): LogicalVolume {
  const found = group.volumes.get(place.logicalVolume);
  if (found === undefined) throw new HostError('Conflict', `there is no ${nameOf(place)}`);
  requireOurs(found, place);
  return found;
}

function requireOurs(found: LogicalVolume, place: ThinPlace): void {
  if (isOurs(found, place)) return;
  throw new HostError('Conflict', `${nameOf(place)} is not ours: it has not the tag of ours`);
}

/** A snapshot that somebody has made of one of ours may have got its tag with it, and another name. */
function isOurs({ tags, pool }: LogicalVolume, place: ThinPlace): boolean {
  return pool === place.pool && tags.includes(place.tag);
}

/** @throws HostError `Conflict` */
export function requireFree({ volumes }: VolumeGroup, place: ThinPlace): void {
  if (!volumes.has(place.logicalVolume)) return;
  throw new HostError('Conflict', `there is a ${nameOf(place)} already, with no record of ours`);
}

async function requireRoom(
  lvm: Lvm,
  place: ThinPlace,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<VolumeGroup> {
  const group = await lvm.report(place.group, signal);
  requireFree(group, place);
  checkRoom(group, place, sizeBytes);
  return group;
}

/** @throws HostError `Refused` */
function checkRoom(group: VolumeGroup, thin: ThinPool, bytes: number): void {
  const { refusal, freeBytes } = storeIn(group, thin);
  if (refusal !== null) throw new HostError('Refused', refusal);
  if (freeBytes !== null && bytes > freeBytes) throw noRoom(thin);
}

/** Somebody else, as an operator, may have made one since it was looked at. @throws HostError `Refused` */
function requireAllFit(now: VolumeGroup, thin: ThinPool): void {
  if (promisedIn(now, thin) > poolIn(now, thin).sizeBytes) throw noRoom(thin);
}

function noRoom(thin: ThinPool): HostError {
  const words = 'its logical volumes could come to more than it has';
  return new HostError('Refused', `thin pool ${poolName(thin)} has no room: ${words}`);
}

async function extend(
  lvm: Lvm,
  place: ThinPlace,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await lvm.change('lvextend', ['--size', `${sizeBytes}b`, nameOf(place)], signal);
}

async function deactivate(lvm: Lvm, place: ThinPlace, signal: AbortSignal): Promise<void> {
  await lvm.change('lvchange', ['--activate', 'n', nameOf(place)], signal);
}

function birthOf({ logicalVolume, tag }: ThinPlace): readonly string[] {
  return ['--name', logicalVolume, '--addtag', tag, '--setactivationskip', 'y'];
}

function nameOf({ group, logicalVolume }: ThinPlace): string {
  return `${group}/${logicalVolume}`;
}
