/**
 * Where the bytes of Images come in: `STATE/PARTITION/intakes/NAME`, one file of exactly as many bytes as
 * may come. While they do it is `disk.raw`, which is what is lent to a Primary and what uploads and fetched bytes
 * are added to. Before anybody looks into them it is sealed: under another name that nothing is ever added to, so
 * that what was seen to be good is what is used.
 */
import { lstat, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Stats } from 'node:fs';
import type { DomainRef } from '../../model/domain.ts';
import type { PartitionOwner } from '../../model/identity.ts';
import { type Intake, isFor, type ObservedIntake, roomBytes } from '../../model/intake.ts';
import type { ImageName, PartitionName } from '../../model/names.ts';
import { type Observation, present } from '../../model/observation.ts';
import { HostError } from '../host-error.ts';
import { isObjection, objection, refusal } from '../image-objection.ts';
import type { IntakeReader, IntakeWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { makeEmpty, withFile } from './disk-file.ts';
import { type Ext4, type Ext4File, type Ext4For, sandboxedExt4 } from './ext4.ts';
import { forgetIntake, holdIntake, isIntakeHeld } from './held-intakes.ts';
import { imageDiskFile, noteTakenOut } from './image-disk.ts';
import { hasErrno } from './io-error.ts';
import {
  emptyPlace,
  fillPlace,
  lookInto,
  namesIn,
  readyRecord,
  requireRoom,
} from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { imagePlace, intakePlace } from './places.ts';
import { type IntakeRecord, ownerOf, writeRecord } from './record.ts';
import { syncFolder } from './sync-folder.ts';
import { takingTurns } from '../turns.ts';
import { localImagePlaces } from './worker-places.ts';

export function localIntakeReader(stateDir: string): IntakeReader {
  const layoutOf = (partition: PartitionName) => storeLayout(resolve(stateDir), partition);
  return {
    list: (partition, signal) =>
      attempt('listing intakes', signal, () => namesIn(layoutOf(partition).intakesDir)),
    read: (partition, name, signal) =>
      attempt(`reading the intake of image ${name}`, signal, () =>
        readIntake(layoutOf(partition), name),
      ),
  };
}

/** @param ext4For reads the image disk */
export function localIntakes(
  stateDir: string,
  ext4For: Ext4For = sandboxedExt4(localImagePlaces(stateDir)),
): IntakeReader & IntakeWriter {
  const layoutOf = (owner: PartitionOwner) => storeLayout(resolve(stateDir), owner.partition);
  return {
    ...localIntakeReader(stateDir),
    create: (owner, intake, signal) =>
      attempt(`making room for image ${intake.image}`, signal, () =>
        inTurn(layoutOf(owner), intake.image, () => createIntake(layoutOf(owner), owner, intake)),
      ),
    append: (owner, intake, atByte, bytes, signal) =>
      attempt(`taking in image ${intake.image}`, signal, () =>
        inTurn(layoutOf(owner), intake.image, () =>
          append(layoutOf(owner), owner, intake, { atByte, bytes }),
        ),
      ),
    takeOut: (owner, image, path, signal) =>
      attempt(`taking image ${image} out of the image disk`, signal, () =>
        inTurn(layoutOf(owner), image, () =>
          fill(layoutOf(owner), owner, { image, path }, ext4For(owner.partition), signal),
        ),
      ),
    delete: (owner, image, signal) =>
      attempt(`deleting the intake of image ${image}`, signal, () =>
        inTurn(layoutOf(owner), image, () => deleteIntake(layoutOf(owner), owner, image)),
      ),
  };
}

/** Uploads come whenever they like, and never meet what a pass does to the same intake. */
function inTurn<T>(layout: StoreLayout, image: ImageName, act: () => Promise<T>): Promise<T> {
  return takingTurns(intakePlace(layout, image).folder, act);
}

async function readIntake(
  layout: StoreLayout,
  name: ImageName,
): Promise<Observation<ObservedIntake>> {
  const seen = await lookInto(intakePlace(layout, name));
  if (seen.status !== 'present') return seen;
  if (seen.value === null) {
    const nothing = { state: 'ready', kind: 'upload', digest: '', sizeBytes: 0 } as const;
    return present({ name, owner: null, ...nothing, lentTo: null, receivedBytes: 0, heldBytes: 0 });
  }
  const { state, intakeKind: kind, digest, sizeBytes, lentTo } = seen.value;
  const file = (await statOf(layout.intakeDisk(name))) ?? (await statOf(layout.sealedDisk(name)));
  const isTaken = file !== null && (await isImage(layout, name, file));
  return present({
    name,
    owner: ownerOf(seen.value),
    // What has come in can come again: without it there is nothing to be kept, or to be afraid for.
    state: file === null && state === 'ready' ? 'deleting' : state,
    kind,
    lentTo,
    digest,
    sizeBytes,
    receivedBytes: kind === 'handOver' ? 0 : (file?.size ?? 0),
    heldBytes: isTaken ? 0 : roomBytes({ kind, sizeBytes }),
  });
}

/** Whether its bytes are those of the Image by now, of which they are the only ones. */
async function isImage(layout: StoreLayout, name: ImageName, file: Stats): Promise<boolean> {
  const image = await lookInto(imagePlace(layout, name));
  if (image.status !== 'present' || image.value?.state !== 'ready') return false;
  const { format } = image.value;
  return (await statOf(layout.imageFile(name, format)))?.ino === file.ino;
}

async function receivedBytes(layout: StoreLayout, image: ImageName): Promise<number> {
  const open = await statOf(layout.intakeDisk(image));
  return (open ?? (await statOf(layout.sealedDisk(image))))?.size ?? 0;
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

async function createIntake(
  layout: StoreLayout,
  owner: PartitionOwner,
  { image: name, kind, digest, sizeBytes }: Intake,
): Promise<void> {
  const place = intakePlace(layout, name);
  await requireRoom(place, owner);
  forgetIntake(place.folder);
  const common = { formatVersion: 1, kind: 'intake', state: 'ready', format: 'raw' } as const;
  const asked = { intakeKind: kind, digest, sizeBytes, lentTo: null };
  const record: IntakeRecord = { ...common, ...owner, name, ...asked };
  await fillPlace(place, record, () =>
    makeRoom(layout.intakeDisk(name), kind === 'handOver' ? roomBytes({ kind, sizeBytes }) : 0),
  );
}

async function deleteIntake(
  layout: StoreLayout,
  owner: PartitionOwner,
  image: ImageName,
): Promise<void> {
  const place = intakePlace(layout, image);
  await emptyPlace(place, owner);
  forgetIntake(place.folder);
}

async function makeRoom(path: string, bytes: number): Promise<void> {
  const file = await makeEmpty(path);
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

interface Chunk {
  readonly atByte: number;
  readonly bytes: Uint8Array;
}

async function append(
  layout: StoreLayout,
  owner: PartitionOwner,
  intake: Intake,
  { atByte, bytes }: Chunk,
): Promise<number> {
  const { image } = intake;
  const place = intakePlace(layout, image);
  const { intakeKind, digest, sizeBytes } = await readyRecord(place, owner);
  if (!isFor(intake, { kind: intakeKind, digest, sizeBytes })) {
    throw new HostError('Conflict', `${place.what} is that of other bytes`);
  }
  if (intakeKind === 'handOver' || intakeKind === 'imageDisk') {
    throw new HostError('Refused', `image ${image} comes in on a disk, and is not uploaded`);
  }
  const end = atByte + bytes.length;
  if (end > sizeBytes) {
    throw new HostError('Refused', `image ${image} has ${sizeBytes} bytes, and not ${end}`);
  }
  if (atByte === 0) {
    if (isIntakeHeld(place.folder)) throw lookedInto(image);
    await beginAnew(layout, image);
  }
  const disk = layout.intakeDisk(image);
  const received = (await statOf(disk))?.size ?? sizeBytes;
  if (received !== atByte) {
    throw new HostError('Refused', `${received} bytes have come, so that ${atByte} is not next`);
  }
  return withFile(disk, 'write', async (file) => {
    for (let done = 0; done < bytes.length;) {
      done += (await file.write(bytes, done, bytes.length - done, atByte + done)).bytesWritten;
    }
    if (end === sizeBytes) await file.sync();
    return end;
  });
}

/** What is there is either what was there before, or all of the file, or nothing if a crash interrupts it while its file is there. */
async function fill(
  layout: StoreLayout,
  owner: PartitionOwner,
  { image, path }: { readonly image: ImageName; readonly path: string },
  ext4: Ext4,
  signal: AbortSignal,
): Promise<void> {
  const place = intakePlace(layout, image);
  const { intakeKind, sizeBytes } = await readyRecord(place, owner);
  if (intakeKind !== 'imageDisk') {
    throw new HostError('Refused', `image ${image} does not come from the image disk`);
  }
  const disk = await imageDiskFile(layout, owner);
  const taken = layout.takenFile(image);
  await rm(taken, { force: true });
  try {
    await ext4.checkUnmounted(disk, signal);
    checkFile(path, await ext4.find(disk, path, signal), sizeBytes);
  } catch (error) {
    // Nobody has seen that what was taken out before is no good.
    if (isObjection(error) && (await receivedBytes(layout, image)) === sizeBytes) return;
    throw error;
  }
  await beginAnew(layout, image);
  // Only of what is there, or anybody could fill the record with names.
  await noteTakenOut(layout, owner, path);
  try {
    await makeRoom(taken, 0);
    await ext4.dump(disk, path, taken, sizeBytes, signal);
    await withFile(taken, 'write', async (file, bytes) => {
      checkFile(path, { kind: 'file', sizeBytes: bytes }, sizeBytes);
      await file.sync();
    });
    await rename(taken, layout.intakeDisk(image));
  } catch (error) {
    await rm(taken, { force: true });
    throw error;
  }
  await syncFolder(place.folder);
}

/** @throws HostError `Refused`, with an `objection` */
function checkFile(path: string, found: Ext4File | null, sizeBytes: number): void {
  if (found === null) {
    throw refusal(path, objection('NotOnDisk', 'there is no such file on the image disk'));
  }
  if (found.kind !== 'file') {
    throw refusal(path, objection('NotAFile', `it is a ${found.kind} on the image disk`));
  }
  if (found.sizeBytes === sizeBytes) return;
  const words = `it has ${found.sizeBytes} bytes, and its document says ${sizeBytes}`;
  throw refusal(path, objection('OtherSize', words));
}

/**
 * In another file: whoever looks into the one of before is not shown other bytes.
 * @throws HostError `Refused` while somebody does, or where they are the Image's by now: they would be there
 *   besides, and counted nowhere
 */
async function beginAnew(layout: StoreLayout, image: ImageName): Promise<void> {
  if (((await statOf(layout.sealedDisk(image)))?.nlink ?? 1) > 1) {
    throw lookedInto(image);
  }
  forgetIntake(intakePlace(layout, image).folder);
  await rm(layout.sealedDisk(image), { force: true });
  await rm(layout.intakeDisk(image), { force: true });
  await makeRoom(layout.intakeDisk(image), 0);
}

/** What was taken off the image disk for it, and is no good. */
export function dropTakenOut(
  layout: StoreLayout,
  owner: PartitionOwner,
  image: ImageName,
): Promise<void> {
  return inTurn(layout, image, async () => {
    await readyRecord(intakePlace(layout, image), owner);
    await beginAnew(layout, image);
  });
}

function lookedInto(image: ImageName): HostError {
  return new HostError('Refused', `what has come of image ${image} is being looked into`);
}

/**
 * Nothing is added from then on, and nothing begins anew before they are let go of (held-intakes.ts).
 * @returns where the bytes are, as many as the Image has
 * @throws HostError `Conflict` if there is no such intake, `Refused` if not all of them are there
 */
export function sealIntake(
  layout: StoreLayout,
  owner: PartitionOwner,
  image: ImageName,
): Promise<string> {
  return inTurn(layout, image, () => seal(layout, owner, image));
}

async function seal(layout: StoreLayout, owner: PartitionOwner, image: ImageName): Promise<string> {
  const place = intakePlace(layout, image);
  const { sizeBytes } = await readyRecord(place, owner);
  const sealed = layout.sealedDisk(image);
  const open = await statOf(layout.intakeDisk(image));
  // Before it is sealed, or what is missing could not come any more.
  const bytes = await receivedBytes(layout, image);
  if (bytes < sizeBytes) {
    throw new HostError('Refused', `only ${bytes} of ${sizeBytes} bytes are there`);
  }
  if (open !== null) {
    forgetIntake(place.folder);
    await rename(layout.intakeDisk(image), sealed);
    await syncFolder(place.folder);
  }
  holdIntake(place.folder);
  await withFile(sealed, 'write', async (file) => {
    // Of a disk, what is behind the Image's end; and QEMU's user has had it.
    await file.truncate(sizeBytes);
    await file.chown(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    await file.chmod(0o600);
  });
  return sealed;
}

/**
 * The room of an intake, to be lent: what was sealed can be written to again, and is as large as it was.
 * Whom it is lent to stands in its record, so that it is asked back from them whatever becomes of the Primary.
 * @throws HostError `Conflict` if there is none, or its bytes are those of an Image
 */
export function openIntake(
  layout: StoreLayout,
  image: ImageName,
  lentTo: DomainRef,
): Promise<string> {
  return inTurn(layout, image, () => open(layout, image, lentTo));
}

async function open(layout: StoreLayout, image: ImageName, lentTo: DomainRef): Promise<string> {
  const disk = layout.intakeDisk(image);
  const place = intakePlace(layout, image);
  const seen = await lookInto(place);
  if (seen.status !== 'present' || seen.value?.state !== 'ready') {
    throw new HostError('Conflict', `${place.what} is not there`);
  }
  const sealed = await statOf(layout.sealedDisk(image));
  if (((sealed ?? (await statOf(disk)))?.nlink ?? 1) > 1) {
    throw new HostError('Conflict', `what ${place.what} holds is an Image by now`);
  }
  forgetIntake(place.folder);
  await writeRecord(place.folder, { ...seen.value, lentTo: { ...lentTo } });
  if (sealed !== null) {
    await rename(layout.sealedDisk(image), disk);
    await syncFolder(place.folder);
  }
  const { intakeKind: kind, sizeBytes } = seen.value;
  await withFile(disk, 'write', (file) => file.truncate(roomBytes({ kind, sizeBytes })));
  return disk;
}
