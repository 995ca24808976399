/** How a Volume that is a logical volume begins, and grows. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { PartitionOwner } from '../../model/identity.ts';
import { poolName, roundedUp, type ThinPool } from '../../model/thin-pool.ts';
import type { Volume } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { writeDisk } from './copy-disk.ts';
import { withFile } from './disk-file.ts';
import type { StoreLayout } from './layout.ts';
import { type VolumeRecord, writeRecord } from './record.ts';
import { grainIn } from './thin-pool.ts';
import {
  deviceOf,
  growThin,
  isThin,
  makeBlank,
  makeSnapshot,
  placeOf,
  requireFree,
  thinPlace,
  type ThinRecord,
  type ThinTools,
} from './thin-volumes.ts';

/**
 * Where a new one is put; null: into a file, as what is copied of one that is a qcow2, from before there was a thin pool.
 * @param source what it is a copy of; null: of nothing
 * @throws HostError `Refused` if it is none that a thin pool can keep, or a copy of what is in one that is used no more
 */
export function poolFor(
  { name, format, origin }: Volume,
  source: VolumeRecord | null,
  thin: ThinPool | null,
): ThinPool | null {
  const refused = (why: string) =>
    new HostError('Refused', `volume ${name} cannot be kept: ${why}`);
  if (thin === null) {
    if (source === null || !isThin(source)) return null;
    throw refused('what it is a copy of is in a thin pool, and none is used here');
  }
  if (format === 'raw' && origin?.provision !== 'Overlay') return thin;
  if (source !== null) return null;
  throw refused(`${poolName(thin)} keeps raw disks only, and none that lie on an image`);
}

/**
 * What its record is to say of where it is.
 * @throws HostError `Conflict` if its name is taken there: what is somebody else's is never ours to remove again
 */
export async function thinFor(
  { lvm }: Pick<ThinTools, 'lvm'>,
  thin: ThinPool,
  owner: PartitionOwner,
  { name, sizeBytes }: Volume,
  signal: AbortSignal,
): Promise<ThinRecord['thin']> {
  const group = await lvm.report(thin.group, signal);
  requireFree(group, thinPlace(thin, owner, name));
  const size = roundedUp(sizeBytes, grainIn(group, thin));
  return { group: thin.group, pool: thin.pool, sizeBytes: size };
}

/** @param source null: it begins as an Image, or empty. One that is a file is written out, as an Image is. */
export async function makeThinVolume(
  workshop: ThinTools & { readonly layout: StoreLayout },
  record: ThinRecord,
  source: VolumeRecord | null,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(record);
  const { sizeBytes } = record.thin;
  if (source !== null && isThin(source)) {
    return makeSnapshot(workshop, place, placeOf(source), sizeBytes, signal);
  }
  await makeBlank(workshop, place, sizeBytes, signal);
  const { layout } = workshop;
  const { origin } = record;
  if (source !== null) {
    await writeOnto(layout.volumeDisk(source.name, source.format), deviceOf(place), signal);
  } else if (origin !== null) {
    await writeOnto(layout.imageFile(origin.image, origin.format), deviceOf(place), signal);
  }
}

/** Of a device that somebody has open already, `O_EXCL` says so. */
async function writeOnto(file: string, device: string, signal: AbortSignal): Promise<void> {
  const disk = await open(device, constants.O_WRONLY | constants.O_EXCL);
  try {
    await withFile(file, 'read', (bytes, sizeBytes) => writeDisk(bytes, sizeBytes, disk, signal));
  } finally {
    await disk.close();
  }
}

/** Of one that no guest uses. */
export async function growThinVolume(
  tools: ThinTools,
  folder: string,
  record: ThinRecord,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  if (sizeBytes < record.thin.sizeBytes) {
    const { name, thin } = record;
    throw new HostError('Refused', `volume ${name} has ${thin.sizeBytes} bytes, and never shrinks`);
  }
  const now = await growThin(tools, placeOf(record), sizeBytes, signal);
  await noteThinSize(folder, record, now);
}

/** Once whoever uses it knows. */
export async function noteThinSize(
  folder: string,
  record: ThinRecord,
  sizeBytes: number,
): Promise<void> {
  const { thin } = record;
  if (thin.sizeBytes === sizeBytes) return;
  await writeRecord(folder, { ...record, thin: { ...thin, sizeBytes } });
}
