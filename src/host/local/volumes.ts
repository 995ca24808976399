/**
 * A partition's Volumes: `STATE/PARTITION/volumes/NAME`, which holds a record, and the bytes too where they are a file.
 * Nothing here ever writes over data: a disk is made where there is none, or in place of one that a crash left half
 * made, and it only grows. Where new ones go the operator says; where one is its record says.
 */
import { resolve } from 'node:path';
import type { PartitionOwner } from '../../model/identity.ts';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import type { ThinPool } from '../../model/thin-pool.ts';
import type { DeletionPolicy, Volume } from '../../model/volume.ts';
import type { VolumeReader, VolumeWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { growDisk, makeDisk } from './disk-file.ts';
import {
  emptyPlace,
  fillPlace,
  lookInto,
  type Place,
  readyRecord,
  requireRoom,
} from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { machineLvm } from './lvm.ts';
import { volumePlace } from './places.ts';
import { type QemuImgFor, sandboxedQemuImg } from './qemu-img.ts';
import { type VolumeRecord, writeRecord } from './record.ts';
import { growThinVolume, makeThinVolume, poolFor, thinFor } from './thin-making.ts';
import {
  isThin,
  placeOf,
  removeThin,
  requireFree,
  thinPlace,
  type ThinTools,
} from './thin-volumes.ts';
import { machineUdev } from './udev-rule.ts';
import { checkSource, makeFromVolume } from './volume-copy.ts';
import { listVolumes, lookAtStore, readVolume, volumeLooks } from './volume-looks.ts';
import { backingOf, checkOrigin, makeFromImage, type Workshop } from './volume-origin.ts';
import { localImagePlaces } from './worker-places.ts';

/** What there is on this machine to keep Volumes with. */
export interface VolumeTools extends ThinTools {
  /** Reads the tables of what grows. */
  readonly qemuImgFor: QemuImgFor;
  /** Where new ones go; null: into files. */
  readonly thinPool: ThinPool | null;
}

function withMachines(stateDir: string, tools: Partial<VolumeTools>): VolumeTools {
  const qemuImgFor = sandboxedQemuImg(localImagePlaces(stateDir));
  const machine = { qemuImgFor, lvm: machineLvm, udev: machineUdev() };
  return { thinPool: null, ...machine, ...tools };
}

export function localVolumeReader(
  stateDir: string,
  tools: Partial<VolumeTools> = {},
): VolumeReader {
  const layoutOf = (partition: PartitionName) => storeLayout(resolve(stateDir), partition);
  const machines = withMachines(stateDir, tools);
  const looks = volumeLooks(machines, machines.thinPool);
  return {
    store: (signal) => attempt('looking at the store of volumes', signal, () => lookAtStore(looks)),
    list: (partition, signal) =>
      attempt('listing volumes', signal, () => listVolumes(layoutOf(partition), partition, looks)),
    read: (partition, name, signal) =>
      attempt(`reading volume ${name}`, signal, () =>
        readVolume(layoutOf(partition), partition, name, looks),
      ),
  };
}

export function localVolumes(
  stateDir: string,
  of: Partial<VolumeTools> = {},
): VolumeReader & VolumeWriter {
  const tools = withMachines(stateDir, of);
  const layoutOf = (owner: PartitionOwner) => storeLayout(resolve(stateDir), owner.partition);
  const workshopOf = (owner: PartitionOwner): VolumeWorkshop => ({
    ...tools,
    layout: layoutOf(owner),
    qemuImg: tools.qemuImgFor(owner.partition),
  });
  return {
    ...localVolumeReader(stateDir, tools),
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
        deleteVolume(workshopOf(owner), owner, name, signal),
      ),
  };
}

/** What is worked on a partition's Volumes with. */
interface VolumeWorkshop extends Workshop, ThinTools {
  readonly thinPool: ThinPool | null;
}

/** With what of a Volume is no file. Once it has begun to go, it goes: nobody's signal ends that half-way. */
function clearedPlace(workshop: VolumeWorkshop, name: VolumeName): Place<VolumeRecord> {
  const clear = async (record: VolumeRecord) => {
    if (isThin(record)) {
      await removeThin(workshop, placeOf(record), new AbortController().signal);
    }
  };
  return { ...volumePlace(workshop.layout, name), clear };
}

async function deleteVolume(
  workshop: VolumeWorkshop,
  owner: PartitionOwner,
  name: VolumeName,
  signal: AbortSignal,
): Promise<void> {
  const { lvm, thinPool } = workshop;
  const place = clearedPlace(workshop, name);
  if (thinPool !== null && (await lookInto(place)).status === 'absent') {
    // What has its name there, and no record, is not ours; nor is it gone.
    requireFree(await lvm.report(thinPool.group, signal), thinPlace(thinPool, owner, name));
  }
  await emptyPlace(place, owner);
}

async function createVolume(
  workshop: VolumeWorkshop,
  owner: PartitionOwner,
  volume: Volume,
  signal: AbortSignal,
): Promise<void> {
  const { name, format, origin, copyOf, deletionPolicy } = volume;
  const { layout, thinPool } = workshop;
  const place = clearedPlace(workshop, name);
  const remains = await requireRoom(place, owner);
  if (origin !== null) await checkOrigin(layout, owner, volume, origin);
  const source = copyOf === null ? null : await checkSource(layout, owner, volume, copyOf);
  const pool = poolFor(volume, source, thinPool);
  // Wherever new ones went when it was begun.
  if (remains !== null) await place.clear?.(remains);
  const common = { formatVersion: 1, kind: 'volume', state: 'ready' } as const;
  const record: VolumeRecord = {
    ...common,
    ...owner,
    name,
    format,
    deletionPolicy,
    origin,
    ...(copyOf === null ? {} : { copyOf }),
    ...(pool === null ? {} : { thin: await thinFor(workshop, pool, owner, volume, signal) }),
  };
  await fillPlace(place, record, () =>
    isThin(record)
      ? makeThinVolume(workshop, record, source, signal)
      : makeVolume(workshop, layout.volumeDisk(name, format), volume, signal),
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
  workshop: VolumeWorkshop,
  owner: PartitionOwner,
  name: VolumeName,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const { layout, qemuImg } = workshop;
  const place = volumePlace(layout, name);
  const record = await readyRecord(place, owner);
  if (isThin(record)) {
    await growThinVolume(workshop, place.folder, record, bytes, signal);
    return;
  }
  const { format, origin } = record;
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
