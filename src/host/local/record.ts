/**
 * The record beside a disk: whose it is, what it began as and how far its making has come. It is
 * what tells our files from anybody else's, so it is written whole or not at all, and one that
 * cannot be understood is never written over. A link is never followed to one.
 */
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import {
  type DomainUuid,
  domainUuid,
  type InstallationId,
  installationId,
  type PartitionOwner,
} from '../../model/identity.ts';
import { IMAGE_DISK_PATH } from '../../model/image-disk.ts';
import { INTAKE_KINDS } from '../../model/intake.ts';
import {
  type ImageName,
  NAME_PATTERN,
  type PartitionName,
  type VolumeName,
} from '../../model/names.ts';
import { absent, type Observation, present, unknown } from '../../model/observation.ts';
import { SEED_FORMS, seedName, type SeedName } from '../../model/seed.ts';
import { LVM_NAME_PATTERN } from '../../model/thin-pool.ts';
import {
  DELETION_POLICIES,
  DISK_FORMATS,
  IMAGE_FORMATS,
  PROVISIONS,
  STORED_STATES,
} from '../../model/volume.ts';
import { explainError, HostError } from '../host-error.ts';
import { hasErrno, ioError } from './io-error.ts';
import { syncFolder } from './sync-folder.ts';

export const RECORD_FILE = 'record.json';
/** What a crash can leave of a record that was being written. */
export const RECORD_DRAFT = 'record.json.new';
/** A record is some hundred bytes. */
const recordBytesMax = 65_536;

const named = <T extends string>() =>
  z.custom<T>((value) => typeof value === 'string' && NAME_PATTERN.test(value), 'not a name');
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const common = {
  /** Of this form. One that is newer than this program is left alone. */
  formatVersion: z.literal(1),
  installation: z.custom<InstallationId>(
    (value) => typeof value === 'string' && installationId(value) === value,
    'not an installation id',
  ),
  partition: named<PartitionName>(),
  state: z.enum(STORED_STATES),
};
const format = z.enum(DISK_FORMATS);

const origin = z.strictObject({
  image: named<ImageName>(),
  digest,
  format: z.enum(DISK_FORMATS),
  provision: z.enum(PROVISIONS),
});

export const volumeRecord = z.strictObject({
  ...common,
  kind: z.literal('volume'),
  format,
  name: named<VolumeName>(),
  deletionPolicy: z.enum(DELETION_POLICIES),
  origin: origin.nullable(),
  /** Only of a copy, so that an older program goes on reading all others. */
  copyOf: named<VolumeName>().optional(),
  /** Only of one that is no file, but a logical volume, with how large its guests know it to be. */
  thin: z
    .strictObject({
      group: z.string().regex(LVM_NAME_PATTERN),
      pool: z.string().regex(LVM_NAME_PATTERN),
      sizeBytes: z.int().positive(),
    })
    .optional(),
});
export type VolumeRecord = z.output<typeof volumeRecord>;

/** On the image disk. @see IMAGE_DISK_PATH */
const taken = { path: z.string().regex(IMAGE_DISK_PATH), sizeBytes: z.int().nonnegative() };

export const imageRecord = z.strictObject({
  ...common,
  kind: z.literal('image'),
  format: z.enum(IMAGE_FORMATS),
  name: named<ImageName>(),
  digest,
  /** Only where there is one: an older program goes on reading the records of all others. */
  moved: z.strictObject(taken).optional(),
});
export type ImageRecord = z.output<typeof imageRecord>;

/** Who was lent its disk last; null: nobody was. */
const lentTo = z
  .strictObject({
    uuid: z.custom<DomainUuid>(
      (value) => typeof value === 'string' && domainUuid(value) === value,
      'not a UUID',
    ),
    domainName: z.string().min(1),
  })
  .nullable();

export const intakeRecord = z.strictObject({
  ...common,
  kind: z.literal('intake'),
  format,
  /** Of the Image. */
  name: named<ImageName>(),
  digest,
  intakeKind: z.enum(INTAKE_KINDS),
  sizeBytes: z.int().positive(),
  lentTo,
});
export type IntakeRecord = z.output<typeof intakeRecord>;

export const imageDiskRecord = z.strictObject({
  ...common,
  kind: z.literal('image-disk'),
  name: named<PartitionName>(),
  /** Which of its two files it is: the other one is what it becomes, or was. */
  file: z.literal([0, 1]),
  given: z.array(z.strictObject({ image: named<ImageName>(), digest, ...taken })),
  takenOut: z.array(taken.path),
  lentTo,
});
export type ImageDiskRecord = z.output<typeof imageDiskRecord>;

/** Its digest is in its name; of what it holds the record says nothing. */
export const seedRecord = z.strictObject({
  ...common,
  kind: z.literal('seed'),
  name: z.custom<SeedName>(
    (value) => typeof value === 'string' && seedName(value) === value,
    'not the name of a seed',
  ),
  form: z.enum(SEED_FORMS),
});
export type SeedRecord = z.output<typeof seedRecord>;

export type DiskRecord = VolumeRecord | ImageRecord | IntakeRecord;
export type KeptRecord = DiskRecord | SeedRecord | ImageDiskRecord;

export function ownerOf({ installation, partition }: KeptRecord): PartitionOwner {
  return { installation, partition };
}

export async function readRecord<R extends KeptRecord>(
  folder: string,
  schema: z.ZodType<R>,
): Promise<Observation<R>> {
  const path = join(folder, RECORD_FILE);
  let text: string;
  try {
    text = await readSmallFile(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return absent;
    return unknown(explainError(ioError(`reading ${path}`, error)));
  }
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return present(parsed.data);
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  const where =
    place === '' ? ': it is no JSON, or not of that form' : `: ${place}: ${issue?.message}`;
  return unknown(`${path} is not a record that is understood here${where}`);
}

/** All or nothing, also across a crash of the machine. @throws HostError `Refused` if it would be too long to be read again */
export async function writeRecord(folder: string, record: KeptRecord): Promise<void> {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (text.length > recordBytesMax) {
    throw new HostError(
      'Refused',
      `the record in ${folder} would be longer than ${recordBytesMax} bytes`,
    );
  }
  const draft = join(folder, RECORD_DRAFT);
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o644);
  try {
    await file.chmod(0o644);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, RECORD_FILE));
  await syncFolder(folder);
}

/** In the room that it has already: for a disk that is full, and a record that is about to go. */
export async function rewriteRecord(folder: string, record: KeptRecord): Promise<void> {
  await rm(join(folder, RECORD_DRAFT), { force: true });
  const file = await open(join(folder, RECORD_FILE), constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    const text = JSON.stringify(record);
    if (text.length > size) throw new Error('the record does not fit in the room that it has');
    await file.write(text.padEnd(size), 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > recordBytesMax) throw new Error(`it is longer than ${recordBytesMax} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
