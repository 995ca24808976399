/**
 * A partition's Volumes: `STATE/PARTITION/volumes/NAME`. Nothing here ever writes over data: a disk
 * is made where there is none, or in place of one that a crash left half made, and it only grows.
 */
import { resolve } from 'node:path';
import type { PartitionOwner } from '../../model/identity.ts';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import { type Observation, present } from '../../model/observation.ts';
import type { DeletionPolicy, ObservedVolume, Volume } from '../../model/volume.ts';
import type { VolumeReader, VolumeWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { growDisk, makeDisk } from './disk-file.ts';
import {
  emptyPlace,
  fillPlace,
  lookInto,
  namesIn,
  readyRecord,
  requireRoom,
} from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { observedSize, volumePlace } from './places.ts';
import { type QemuImgFor, sandboxedQemuImg } from './qemu-img.ts';
import { ownerOf, type VolumeRecord, writeRecord } from './record.ts';
import { checkSource, makeFromVolume } from './volume-copy.ts';
import { backingOf, checkOrigin, makeFromImage, type Workshop } from './volume-origin.ts';
import { localImagePlaces } from './worker-places.ts';

export function localVolumeReader(stateDir: string): VolumeReader {
  const layoutOf = (partition: PartitionName) => storeLayout(resolve(stateDir), partition);
  return {
    list: (partition, signal) =>
      attempt('listing volumes', signal, () => namesIn(layoutOf(partition).volumesDir)),
    read: (partition, name, signal) =>
      attempt(`reading volume ${name}`, signal, () => readVolume(layoutOf(partition), name)),
  };
}

/** @param qemuImgFor reads the tables of what grows */
export function localVolumes(
  stateDir: string,
  qemuImgFor: QemuImgFor = sandboxedQemuImg(localImagePlaces(stateDir)),
): VolumeReader & VolumeWriter {
  const layoutOf = (owner: PartitionOwner) => storeLayout(resolve(stateDir), owner.partition);
  const workshopOf = (owner: PartitionOwner): Workshop => ({
    layout: layoutOf(owner),
    qemuImg: qemuImgFor(owner.partition),
  });
  return {
    ...localVolumeReader(stateDir),
    create: (owner, volume, signal) =>
      attempt(`creating volume ${volume.name}`, signal, () =>
        createVolume(workshopOf(owner), owner, volume, signal),
      ),
    grow: (owner, name, bytes, signal) =>
      attempt(`growing volume ${name}`, signal, () =>
        growVolume(workshopOf(owner), owner, name, bytes, signal),
      ),
    setDeletionPolicy: (owner, name, policy, signal) =>
      attempt(`changing volume ${name}`, signal, () =>
        setDeletionPolicy(layoutOf(owner), owner, name, policy),
      ),
    delete: (owner, name, signal) =>
      attempt(`deleting volume ${name}`, signal, () =>
        emptyPlace(volumePlace(layoutOf(owner), name), owner),
      ),
  };
}

async function readVolume(
  layout: StoreLayout,
  name: VolumeName,
): Promise<Observation<ObservedVolume>> {
  const seen = await lookInto(volumePlace(layout, name));
  if (seen.status !== 'present') return seen;
  if (seen.value === null) {
    const nothing = {
      state: 'ready',
      sizeBytes: 0,
      format: 'raw',
      origin: null,
      copyOf: null,
    } as const;
    return present({ name, owner: null, deletionPolicy: 'Retain', ...nothing });
  }
  const { state, format, origin, copyOf = null, deletionPolicy } = seen.value;
  const size = await observedSize(seen.value, layout.volumeDisk(name, format));
  if (size.status !== 'present') return size;
  const is = { state, sizeBytes: size.value, format, origin, copyOf, deletionPolicy };
  return present({ name, owner: ownerOf(seen.value), ...is });
}

async function createVolume(
  workshop: Workshop,
  owner: PartitionOwner,
  volume: Volume,
  signal: AbortSignal,
): Promise<void> {
  const { name, format, origin, copyOf, deletionPolicy } = volume;
  const { layout } = workshop;
  const place = volumePlace(layout, name);
  await requireRoom(place, owner);
  if (origin !== null) await checkOrigin(layout, owner, volume, origin);
  if (copyOf !== null) await checkSource(layout, owner, volume, copyOf);
  const common = { formatVersion: 1, kind: 'volume', state: 'ready' } as const;
  const record: VolumeRecord = {
    ...common,
    ...owner,
    name,
    format,
    deletionPolicy,
    origin,
    ...(copyOf === null ? {} : { copyOf }),
  };
  await fillPlace(place, record, () =>
    makeVolume(workshop, layout.volumeDisk(name, format), volume, signal),
  );
}

async function makeVolume(
  workshop: Workshop,
  disk: string,
  volume: Volume,
  signal: AbortSignal,
): Promise<void> {
  const { format, sizeBytes, origin, copyOf } = volume;
  if (copyOf !== null) return makeFromVolume(workshop, disk, volume, copyOf, signal);
  if (origin !== null) return makeFromImage(workshop, disk, volume, origin, signal);
  return makeDisk(disk, format, sizeBytes, null, signal);
}

async function growVolume(
  { layout, qemuImg }: Workshop,
  owner: PartitionOwner,
  name: VolumeName,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const { format, origin } = await readyRecord(volumePlace(layout, name), owner);
  const disk = layout.volumeDisk(name, format);
  await growDisk(disk, format, bytes, backingOf(layout, origin), qemuImg, signal);
}

async function setDeletionPolicy(
  layout: StoreLayout,
  owner: PartitionOwner,
  name: VolumeName,
  deletionPolicy: DeletionPolicy,
): Promise<void> {
  const place = volumePlace(layout, name);
  const record = await readyRecord(place, owner);
  if (record.deletionPolicy === deletionPolicy) return;
  await writeRecord(place.folder, { ...record, deletionPolicy });
}
