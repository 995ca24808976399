/** What is there of a partition's Volumes, and of what they are kept in: files, or a thin pool. */
import type { PartitionName, VolumeName } from '../../model/names.ts';
import { byName, NAME_PATTERN } from '../../model/names.ts';
import { absent, type Observation, present, unknown } from '../../model/observation.ts';
import {
  directoryStore,
  logicalVolumeName,
  type ThinPool,
  volumeNameIn,
  type VolumeStore,
} from '../../model/thin-pool.ts';
import type { ObservedVolume } from '../../model/volume.ts';
import { lookInto, namesIn } from './kept-folder.ts';
import type { StoreLayout } from './layout.ts';
import type { Lvm, VolumeGroup } from './lvm.ts';
import { observedSize, volumePlace } from './places.ts';
import { ownerOf, type VolumeRecord } from './record.ts';
import { storeIn } from './thin-pool.ts';
import { isThin, observedThinSize } from './thin-volumes.ts';

/** Where Volumes are looked for. */
export interface VolumeLooks {
  /** Null: in no thin pool. */
  readonly thinPool: ThinPool | null;
  /** A group as it is from now on. */
  readonly groupNow: (group: string) => Promise<VolumeGroup>;
}

/** Of all who ask in one turn LVM is asked once: a look at a partition asks for each of its Volumes. */
export function volumeLooks(lvm: Lvm, thinPool: ThinPool | null): VolumeLooks {
  const begun = new Map<string, Promise<VolumeGroup>>();
  const groupNow = (group: string) => {
    const waiting = begun.get(group);
    if (waiting !== undefined) return waiting;
    const look = new Promise<void>((done) => void setImmediate(done)).then(() => {
      begun.delete(group);
      // Whoever asks first must not end it for the others.
      return lvm.report(group, new AbortController().signal);
    });
    begun.set(group, look);
    return look;
  };
  return { thinPool, groupNow };
}

export async function lookAtStore({ thinPool, groupNow }: VolumeLooks): Promise<VolumeStore> {
  return thinPool === null ? directoryStore : storeIn(await groupNow(thinPool.group), thinPool);
}

/** With the logical volumes that have the names of ours and no record: they are in our way. */
export async function listVolumes(
  layout: StoreLayout,
  partition: PartitionName,
  { thinPool, groupNow }: VolumeLooks,
): Promise<readonly VolumeName[]> {
  const names = await namesIn<VolumeName>(layout.volumesDir);
  if (thinPool === null) return names;
  const { volumes } = await groupNow(thinPool.group);
  const others = [...volumes.keys()].flatMap((each) => volumeNameIn(partition, each) ?? []);
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
  const [seen, now] = await Promise.all([lookInto(volumePlace(layout, name)), group]);
  if (seen.status === 'absent') {
    const isTaken = now?.volumes.has(logicalVolumeName(partition, name)) === true;
    return isTaken ? present(foreign(name)) : absent;
  }
  if (seen.status !== 'present') return seen;
  if (seen.value === null) return present(foreign(name));
  const { state, format, origin, copyOf = null, deletionPolicy } = seen.value;
  const size = await sizeOf(seen.value, layout, looks, now);
  if (size.status !== 'present') return size;
  const is = { state, sizeBytes: size.value, format, origin, copyOf, deletionPolicy };
  return present({ name, owner: ownerOf(seen.value), ...is });
}

async function sizeOf(
  record: VolumeRecord,
  layout: StoreLayout,
  { thinPool, groupNow }: VolumeLooks,
  now: VolumeGroup | null,
): Promise<Observation<number>> {
  if (!isThin(record)) return observedSize(record, layout.volumeDisk(record.name, record.format));
  const { group, pool } = record.thin;
  if (thinPool === null || now === null) {
    const say = 'spec.store.thinPool of the configuration has to name one';
    return unknown(`it is in thin pool ${group}/${pool}, and none is used here: ${say}`);
  }
  return observedThinSize(record, group === thinPool.group ? now : await groupNow(group));
}

function foreign(name: VolumeName): ObservedVolume {
  const nothing = { sizeBytes: 0, format: 'raw', origin: null, copyOf: null } as const;
  return { name, owner: null, state: 'ready', deletionPolicy: 'Retain', ...nothing };
}
