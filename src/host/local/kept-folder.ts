/**
 * One folder for each Volume, Image and seed, and for the image disk, and whose it is. A folder with a record in it is ours;
 * one with anything else in it is somebody's, and never written into. An empty one is what a crash
 * leaves before the record or after it, so it counts as nothing.
 *
 * To make something: folder, record (`creating`), disk, record (`ready`). To delete it: record
 * (`deleting`), disk, record, folder. Whatever a crash leaves of either, the next one can go on.
 */
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as z from 'zod';
import { type PartitionOwner, samePartition } from '../../model/identity.ts';
import { byName, NAME_PATTERN } from '../../model/names.ts';
import { absent, type Observation, present, unknown } from '../../model/observation.ts';
import type { StoredState } from '../../model/volume.ts';
import { explainError, HostError } from '../host-error.ts';
import { hasErrno, ioError } from './io-error.ts';
import {
  IMAGE_DISK_FILES,
  IMAGE_FILES,
  SEALED_DISK,
  SEED_FILES,
  SUPPLIED_FILE,
  TAKEN_FILE,
} from './layout.ts';
import {
  type KeptRecord,
  ownerOf,
  readRecord,
  rewriteRecord,
  RECORD_DRAFT,
  RECORD_FILE,
  writeRecord,
} from './record.ts';
import { SEED_SOURCES } from './seed-disk.ts';
import { makeFolder, syncFolder } from './sync-folder.ts';

/** Where one thing is kept, and how its record reads. */
export interface Place<R extends KeptRecord> {
  /** For people, such as `volume data`. */
  readonly what: string;
  readonly name: string;
  readonly folder: string;
  readonly schema: z.ZodType<R>;
  /** Removes what of it is not in its folder; of what is not there it is done already. */
  readonly clear?: (record: R) => Promise<void>;
}

/** Whatever of them there is: which one it is to be, the record says. */
const diskFiles: readonly string[] = [
  ...Object.values(IMAGE_FILES),
  ...IMAGE_DISK_FILES,
  SEALED_DISK,
  TAKEN_FILE,
  SUPPLIED_FILE,
  ...Object.values(SEED_FILES),
  ...SEED_SOURCES,
];
const ownFiles = new Set([...diskFiles, RECORD_FILE, RECORD_DRAFT]);

/** The names below a folder that could be ours, whatever is there. None if there is no folder. */
export async function namesIn<Name extends string>(folder: string): Promise<readonly Name[]> {
  try {
    const names = await readdir(folder);
    // The pattern is that of the type.
    return names.filter((name) => NAME_PATTERN.test(name)).sort(byName) as Name[];
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The record of what is there; null if something is there that has none. */
export async function lookInto<R extends KeptRecord>(
  place: Place<R>,
): Promise<Observation<R | null>> {
  try {
    if (!(await lstat(place.folder)).isDirectory()) return present(null);
    const names = await readdir(place.folder);
    if (!names.includes(RECORD_FILE)) {
      return names.some((name) => name !== RECORD_DRAFT) ? present(null) : absent;
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return absent;
    return unknown(explainError(ioError(`looking into ${place.folder}`, error)));
  }
  const record = await readRecord(place.folder, place.schema);
  if (record.status !== 'present' || record.value.name === place.name) return record;
  return unknown(`the record in ${place.folder} is that of ${record.value.name}`);
}

/**
 * The record, if what is there may be changed by this owner; null if nothing is there.
 * @throws HostError `Conflict` if it is anybody else's, `Refused` if that cannot be known
 */
async function ownRecord<R extends KeptRecord>(
  place: Place<R>,
  owner: PartitionOwner,
): Promise<R | null> {
  const { what, folder } = place;
  const seen = await lookInto(place);
  if (seen.status === 'unknown') {
    throw new HostError('Refused', `finding out whose ${what} is`, { cause: new Error(seen.why) });
  }
  if (seen.status === 'absent') return null;
  if (seen.value === null) {
    throw new HostError('Conflict', `${folder} has no record, so it is not ours`);
  }
  const theirs = ownerOf(seen.value);
  if (!samePartition(theirs, owner)) {
    const whose = `partition ${theirs.partition} of installation ${theirs.installation}`;
    throw new HostError('Conflict', `${what} belongs to ${whose}`);
  }
  const strangers = (await readdir(folder)).filter((name) => !ownFiles.has(name));
  if (strangers.length === 0) return seen.value;
  throw new HostError('Refused', `${folder} holds what is not ours: ${strangers.join(', ')}`);
}

/** The record of one that can be used. @throws HostError as `ownRecord`, `Conflict` if it is not `ready` */
export async function readyRecord<R extends KeptRecord>(
  place: Place<R>,
  owner: PartitionOwner,
): Promise<R> {
  const record = await ownRecord(place, owner);
  if (record?.state === 'ready') return record;
  throw notSo(place, record?.state ?? null);
}

/**
 * @returns the record of what a crash has left half made; null: there is none
 * @throws HostError as `ownRecord`, `Conflict` if there is one already, or still
 */
export async function requireRoom<R extends KeptRecord>(
  place: Place<R>,
  owner: PartitionOwner,
): Promise<R | null> {
  const record = await ownRecord(place, owner);
  if (record !== null && record.state !== 'creating') throw notSo(place, record.state);
  return record;
}

/**
 * Fills a place that has room: `make` makes the disk in it. Nothing is left behind if that fails.
 * @param record as it will be
 */
export async function fillPlace<R extends KeptRecord>(
  place: Place<R>,
  record: R,
  make: () => Promise<void>,
): Promise<void> {
  const { folder } = place;
  try {
    await makeFolder(folder);
    await writeRecord(folder, { ...record, state: 'creating' });
    // Of one that a crash left half made.
    await removeDisks(place, record);
    await make();
    await syncFolder(folder);
  } catch (error) {
    // What cannot be removed now says `creating`, which is made anew or deleted by the next pass.
    await removePlace(place, record).catch(() => undefined);
    throw error;
  }
  await writeRecord(folder, { ...record, state: 'ready' });
}

/** @throws HostError as `ownRecord` */
export async function emptyPlace<R extends KeptRecord>(
  place: Place<R>,
  owner: PartitionOwner,
): Promise<void> {
  const record = await ownRecord(place, owner);
  if (record !== null && record.state !== 'deleting') {
    await markDeleting(place.folder, record);
  }
  await removePlace(place, record);
}

/** A full disk must not keep anybody from making room on it. */
async function markDeleting(folder: string, record: KeptRecord): Promise<void> {
  try {
    await writeRecord(folder, { ...record, state: 'deleting' });
  } catch (error) {
    if (!hasErrno(error, 'ENOSPC') && !hasErrno(error, 'EDQUOT')) throw error;
    await rewriteRecord(folder, { ...record, state: 'deleting' });
  }
}

/** The record goes last: without it a disk would be a stranger's. */
async function removePlace<R extends KeptRecord>(place: Place<R>, record: R | null): Promise<void> {
  const { folder } = place;
  await removeDisks(place, record);
  await rm(join(folder, RECORD_DRAFT), { force: true });
  await rm(join(folder, RECORD_FILE), { force: true });
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return;
  }
  await syncFolder(dirname(folder));
}

async function removeDisks<R extends KeptRecord>(
  { folder, clear }: Place<R>,
  record: R | null,
): Promise<void> {
  if (record !== null) await clear?.(record);
  try {
    for (const file of diskFiles) await rm(join(folder, file), { force: true });
    await syncFolder(folder);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

function notSo({ what }: { readonly what: string }, state: StoredState | null): HostError {
  const is = { creating: 'half made', deleting: 'being deleted', ready: 'there already' };
  return new HostError('Conflict', `${what} is ${state === null ? 'not there' : is[state]}`);
}
