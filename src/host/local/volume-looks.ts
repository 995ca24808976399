/** What is there of a partition's Volumes, and of what they are kept in: files, or a thin pool. */
import type { PartitionName, VolumeName } from '../../model/names.ts';
import { byName, NAME_PATTERN } from '../../model/names.ts';
import { absent, type Observation, present, unknown } from '../../model/observation.ts';
import {
  directoryStore,
  logicalVolumeName,
  poolName,
  type ThinPool,
  volumeNameIn,
  type VolumeStore,
} from '../../model/thin-pool.ts';
import type { ObservedVolume } from '../../model/volume.ts';
import { explainError, HostError } from '../host-error.ts';
import { lookInto, namesIn } from './kept-folder.ts';
import type { StoreLayout } from './layout.ts';
import type { Lvm, VolumeGroup } from './lvm.ts';
import { observedSize, volumePlace } from './places.ts';
import { ownerOf, type VolumeRecord } from './record.ts';
import { storeIn } from './thin-pool.ts';
import { isThin, observedThin, type ThinRecord, type ThinTools } from './thin-volumes.ts';

/** A volume group as it is now. */
interface GroupLook {
  readonly group: VolumeGroup;
  /** Why nothing of the host may be brought to look at what is in it; null: it may. */
  readonly unfit: string | null;
}

/** Where Volumes are looked for. */
export interface VolumeLooks {
  /** Null: in no thin pool. */
  readonly thinPool: ThinPool | null;
  /** A group as it is from now on. Never rejects. */
  readonly groupNow: (group: string) => Promise<Observation<GroupLook>>;
}

/** After a look that took too long nobody looks again for so long: each would wait as long, partition after partition. */
const restMs = 30_000;
const rests = new WeakMap<Lvm, Map<string, number>>();

/** By group, until when. */
function restOf(lvm: Lvm): Map<string, number> {
  const rest = rests.get(lvm) ?? new Map<string, number>();
  rests.set(lvm, rest);
  return rest;
}

/** Of all who ask in one turn LVM is asked once: a look at a partition asks for each of its Volumes. */
export function volumeLooks({ lvm, udev }: ThinTools, thinPool: ThinPool | null): VolumeLooks {
  const begun = new Map<string, Promise<Observation<GroupLook>>>();
  const look = async (group: string) => {
    // Whoever asks first must not end it for the others.
    const report = await lvm.report(group, new AbortController().signal);
    const unfit = await udev.requireRule().then(() => null, explainError);
    return present({ group: report, unfit });
  };
  const rest = restOf(lvm);
  const groupNow = (group: string) => {
    const waiting = begun.get(group);
    if (waiting !== undefined) return waiting;
    const begins = new Promise<void>((done) => void setImmediate(done)).then(() => {
      begun.delete(group);
      const untilMs = rest.get(group) ?? Number.NEGATIVE_INFINITY;
      if (performance.now() < untilMs) return unknown('LVM has not answered in time just now');
      return look(group).catch((error: unknown) => {
        const isLate = error instanceof HostError && error.code === 'Timeout';
        if (isLate) rest.set(group, performance.now() + restMs);
        return unknown(explainError(error));
      });
    });
    begun.set(group, begins);
    return begins;
  };
  return { thinPool, groupNow };
}

/** @throws HostError `Refused` if it cannot be looked at */
export async function lookAtStore({ thinPool, groupNow }: VolumeLooks): Promise<VolumeStore> {
  if (thinPool === null) return directoryStore;
  const seen = await groupNow(thinPool.group);
  if (seen.status !== 'present') {
    const cause = new Error(seen.status === 'unknown' ? seen.why : 'it is not there');
    throw new HostError('Refused', `looking at volume group ${thinPool.group}`, { cause });
  }
  const store = storeIn(seen.value.group, thinPool);
  return { ...store, refusal: store.refusal ?? seen.value.unfit };
}

/**
 * With the logical volumes that have the names of ours and no record: they are in our way. If those cannot be seen,
 * nothing new is made, and what are files are what they are.
 */
export async function listVolumes(
  layout: StoreLayout,
  partition: PartitionName,
  { thinPool, groupNow }: VolumeLooks,
): Promise<readonly VolumeName[]> {
  const names = await namesIn<VolumeName>(layout.volumesDir);
  const seen = thinPool === null ? absent : await groupNow(thinPool.group);
  if (seen.status !== 'present') return names;
  const there = [...seen.value.group.volumes.keys()];
  const others = there.flatMap((each) => volumeNameIn(partition, each) ?? []);
  // The pattern is that of the type.
  const own = others.filter((name) => NAME_PATTERN.test(name)) as VolumeName[];
  return [...new Set([...names, ...own])].sort(byName);
}

export async function readVolume(
  layout: StoreLayout,
  partition: PartitionName,
  name: VolumeName,
  looks: VolumeLooks,
): Promise<Observation<ObservedVolume>> {
  // At once, so that those who are asked for together are looked for together.
  const group = looks.thinPool === null ? null : looks.groupNow(looks.thinPool.group);
  const seen = await lookInto(volumePlace(layout, name));
  if (seen.status === 'absent')
    return group === null ? absent : unrecorded(partition, name, await group);
  if (seen.status !== 'present') return seen;
  if (seen.value === null) return present(foreign(name));
  const { state, format, origin, copyOf = null, deletionPolicy } = seen.value;
  const size = isThin(seen.value)
    ? await thinSize(seen.value, looks, group)
    : await fileSize(seen.value, layout);
  if (size.status !== 'present') return size;
  const is = { state, ...size.value, format, origin, copyOf, deletionPolicy };
  return present({ name, owner: ownerOf(seen.value), ...is });
}

function unrecorded(
  partition: PartitionName,
  name: VolumeName,
  group: Observation<GroupLook>,
): Observation<ObservedVolume> {
  if (group.status !== 'present') return group;
  const isTaken = group.value.group.volumes.has(logicalVolumeName(partition, name));
  return isTaken ? present(foreign(name)) : absent;
}

type Size = Observation<Pick<ObservedVolume, 'sizeBytes' | 'thin'>>;

async function fileSize(record: VolumeRecord, layout: StoreLayout): Promise<Size> {
  const size = await observedSize(record, layout.volumeDisk(record.name, record.format));
  return size.status === 'present' ? present({ sizeBytes: size.value }) : size;
}

async function thinSize(
  record: ThinRecord,
  { thinPool, groupNow }: VolumeLooks,
  now: Promise<Observation<GroupLook>> | null,
): Promise<Size> {
  const { group } = record.thin;
  if (thinPool === null || now === null) {
    const say = 'spec.store.thinPool of the configuration has to name one';
    return unknown(`it is in thin pool ${poolName(record.thin)}, and none is used here: ${say}`);
  }
  const seen = await (group === thinPool.group ? now : groupNow(group));
  if (seen.status !== 'present') return seen;
  const size = observedThin(record, seen.value.group);
  const { unfit } = seen.value;
  if (unfit === null || size.status !== 'present' || size.value.thin === undefined) return size;
  return present({ ...size.value, thin: { ...size.value.thin, unfit } });
}

function foreign(name: VolumeName): ObservedVolume {
  const nothing = { sizeBytes: 0, format: 'raw', origin: null, copyOf: null } as const;
  return { name, owner: null, state: 'ready', deletionPolicy: 'Retain', ...nothing };
}
