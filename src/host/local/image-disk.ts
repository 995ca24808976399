/**
 * A partition's image disk: `STATE/PARTITION/image-disk`. Its record says which of two files it is. To make it
 * smaller or larger a copy is made, worked on and seen to be sound, and then becomes it by one write of the
 * record, with what it has given: at no moment is there a disk that is half worked on, whatever crashes, and
 * what its guest wrote is there until what replaces it is. Rejected: working in place, with an undo file of
 * e2fsprogs (it is not on the disk before what it undoes), and resize2fs, which cannot be interrupted.
 */
import { lstat, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DomainRef } from '../../model/domain.ts';
import type { PartitionOwner } from '../../model/identity.ts';
import {
  type ImageDiskGoal,
  type ImageDiskWork,
  type ObservedImageDisk,
  sameGiven,
} from '../../model/image-disk.ts';
import type { PartitionName } from '../../model/names.ts';
import { type Observation, present, unknown } from '../../model/observation.ts';
import { HostError } from '../host-error.ts';
import { objection, refusal } from '../image-objection.ts';
import type { ImageDiskReader, ImageDiskWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { copyDisk } from './copy-disk.ts';
import { fileSize, makeDisk, withFile } from './disk-file.ts';
import { type Ext4, type Ext4For, sandboxedExt4 } from './ext4.ts';
import { hasErrno } from './io-error.ts';
import { emptyPlace, fillPlace, lookInto, readyRecord, requireRoom } from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { imageDiskPlace } from './places.ts';
import { type ImageDiskRecord, ownerOf, writeRecord } from './record.ts';
import { syncFolder } from './sync-folder.ts';
import { takingTurns } from '../turns.ts';
import { localImagePlaces } from './worker-places.ts';

export function localImageDiskReader(stateDir: string): ImageDiskReader {
  return {
    find: (partition, signal) =>
      attempt('looking for the image disk', signal, () =>
        find(storeLayout(resolve(stateDir), partition), partition),
      ),
  };
}

/** @param ext4For reads and writes what guests write to it */
export function localImageDisks(
  stateDir: string,
  ext4For: Ext4For = sandboxedExt4(localImagePlaces(stateDir)),
): ImageDiskReader & ImageDiskWriter {
  const layoutOf = ({ partition }: PartitionOwner) => storeLayout(resolve(stateDir), partition);
  return {
    ...localImageDiskReader(stateDir),
    create: (owner, goal, signal) =>
      attempt('making the image disk', signal, () =>
        inTurn(layoutOf(owner), owner.partition, () =>
          create(layoutOf(owner), owner, goal, ext4For(owner.partition), signal),
        ),
      ),
    rework: (owner, work, signal) =>
      attempt('reworking the image disk', signal, () =>
        inTurn(layoutOf(owner), owner.partition, () =>
          rework(layoutOf(owner), owner, work, ext4For(owner.partition), signal),
        ),
      ),
    delete: (owner, signal) =>
      attempt('deleting the image disk', signal, () =>
        inTurn(layoutOf(owner), owner.partition, () =>
          emptyPlace(imageDiskPlace(layoutOf(owner), owner.partition), owner),
        ),
      ),
  };
}

/** Several Images may come off it at once, and it has one record. */
function inTurn<T>(layout: StoreLayout, partition: PartitionName, act: () => Promise<T>) {
  return takingTurns(imageDiskPlace(layout, partition).folder, act);
}

async function find(
  layout: StoreLayout,
  partition: PartitionName,
): Promise<Observation<ObservedImageDisk>> {
  const seen = await lookInto(imageDiskPlace(layout, partition));
  if (seen.status !== 'present') return seen;
  if (seen.value === null) {
    const nothing = { sizeBytes: 0, heldBytes: 0, given: [], takenOut: [], lentTo: null } as const;
    return present({ owner: null, state: 'ready', ...nothing });
  }
  const { state, file, given, takenOut, lentTo } = seen.value;
  const [sizeBytes, besides] = [
    await lengthOf(layout.imageDiskFile(file)),
    await lengthOf(layout.imageDiskFile(other(file))),
  ];
  if (sizeBytes === null && state === 'ready') {
    return unknown(`its record is there, and ${layout.imageDiskFile(file)} is not`);
  }
  return present({
    owner: ownerOf(seen.value),
    state,
    sizeBytes: sizeBytes ?? 0,
    heldBytes: (sizeBytes ?? 0) + (besides ?? 0),
    given,
    takenOut,
    lentTo,
  });
}

async function lengthOf(path: string): Promise<number | null> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

function other(file: 0 | 1): 0 | 1 {
  return file === 0 ? 1 : 0;
}

async function create(
  layout: StoreLayout,
  owner: PartitionOwner,
  { sizeBytes, given }: ImageDiskGoal,
  ext4: Ext4,
  signal: AbortSignal,
): Promise<void> {
  const place = imageDiskPlace(layout, owner.partition);
  await requireRoom(place, owner);
  const common = { formatVersion: 1, kind: 'image-disk', state: 'ready' } as const;
  const is = { name: owner.partition, file: 0 as const, given: [...given], takenOut: [] };
  const record: ImageDiskRecord = { ...common, ...owner, ...is, lentTo: null };
  const disk = layout.imageDiskFile(0);
  await fillPlace(place, record, async () => {
    await makeDisk(disk, 'raw', sizeBytes, null, signal);
    await ext4.make(disk, sizeBytes, signal);
    await synced(disk);
  });
}

async function rework(
  layout: StoreLayout,
  owner: PartitionOwner,
  work: ImageDiskWork,
  ext4: Ext4,
  signal: AbortSignal,
): Promise<void> {
  const place = imageDiskPlace(layout, owner.partition);
  const record = await readyRecord(place, owner);
  const before = layout.imageDiskFile(record.file);
  const after = layout.imageDiskFile(other(record.file));
  // Of one that a crash has left, half made or replaced.
  await rm(after, { force: true });
  const isSo = (await fileSize(before)) === work.sizeBytes && sameGiven(record.given, work.given);
  // What a guest has had since may be another file of that name.
  const removed = work.removed.filter((path) => record.takenOut.includes(path));
  if (!isSo || removed.length > 0) {
    try {
      await makeReworked({ before, after }, { ...work, removed }, ext4, signal);
    } catch (error) {
      await rm(after, { force: true });
      throw error;
    }
    await syncFolder(place.folder);
    const file = other(record.file);
    const given = [...work.given];
    await writeRecord(place.folder, { ...record, file, given, takenOut: [] });
    await rm(before, { force: true });
  }
  await syncFolder(place.folder);
}

/** What is not sound is not touched: to mend it is its guest's, who knows what is on it. */
async function makeReworked(
  { before, after }: { readonly before: string; readonly after: string },
  { sizeBytes, removed }: ImageDiskWork,
  ext4: Ext4,
  signal: AbortSignal,
): Promise<void> {
  await ext4.checkUnmounted(before, signal);
  await checkSound(ext4, before, signal);
  await withFile(before, 'read', (file, bytes) => copyDisk(file, bytes, after, signal));
  for (const path of removed) await ext4.remove(after, path, signal);
  await withFile(after, 'write', (file, bytes) => file.truncate(Math.max(bytes, sizeBytes)));
  await ext4.resize(after, sizeBytes, signal);
  await withFile(after, 'write', (file) => file.truncate(sizeBytes));
  await checkSound(ext4, after, signal);
  await synced(after);
}

async function checkSound(ext4: Ext4, disk: string, signal: AbortSignal): Promise<void> {
  if (await ext4.isSound(disk, signal)) return;
  const words = 'e2fsck finds mistakes in its file system';
  throw refusal('the image disk', objection('Corrupt', words));
}

function synced(path: string): Promise<void> {
  return withFile(path, 'write', async (file) => {
    await file.chown(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    await file.chmod(0o600);
    await file.sync();
  });
}

/**
 * For a file of it to be read, which stands in its record until a guest has it again: what is moved off it later
 * is that file, and none that has its name by then. @throws HostError `Conflict` if there is none
 */
export function noteTakenOut(
  layout: StoreLayout,
  owner: PartitionOwner,
  path: string,
): Promise<void> {
  const place = imageDiskPlace(layout, owner.partition);
  return inTurn(layout, owner.partition, async () => {
    const record = await readyRecord(place, owner);
    const takenOut = [...new Set([...record.takenOut, path])];
    await writeRecord(place.folder, { ...record, takenOut });
  });
}

/** Where it is. @throws HostError `Conflict` if there is none */
export async function imageDiskFile(layout: StoreLayout, owner: PartitionOwner): Promise<string> {
  const { file } = await readyRecord(imageDiskPlace(layout, owner.partition), owner);
  return layout.imageDiskFile(file);
}

/**
 * To be lent. Whom it is lent to stands in its record, so that it is asked back from them whatever becomes of
 * the Primary. @throws HostError `Conflict` if there is none
 */
export function openImageDisk(
  layout: StoreLayout,
  partition: PartitionName,
  lentTo: DomainRef,
): Promise<string> {
  const place = imageDiskPlace(layout, partition);
  return inTurn(layout, partition, async () => {
    const seen = await lookInto(place);
    if (seen.status !== 'present' || seen.value?.state !== 'ready') {
      throw new HostError('Conflict', 'there is no image disk');
    }
    await writeRecord(place.folder, { ...seen.value, takenOut: [], lentTo: { ...lentTo } });
    return layout.imageDiskFile(seen.value.file);
  });
}
