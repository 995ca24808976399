/** How a Volume that is a logical volume begins, and grows. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { PartitionOwner } from '../../model/identity.ts';
import { roundedUp, type ThinPool } from '../../model/thin-pool.ts';
import type { Volume, VolumeOrigin } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { writeDisk } from './copy-disk.ts';
import { withFile } from './disk-file.ts';
import type { StoreLayout } from './layout.ts';
import { type VolumeRecord, writeRecord } from './record.ts';
import { storeIn } from './thin-pool.ts';
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

/** @throws HostError `Refused` if it is none that a thin pool can keep */
export function checkThinVolume({ name, format, origin }: Volume, thin: ThinPool): void {
  if (format === 'raw' && origin?.provision !== 'Overlay') return;
  const what = `${thin.group}/${thin.pool} keeps raw disks only, and none that lie on an image`;
  throw new HostError('Refused', `volume ${name} cannot be kept: ${what}`);
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
  const size = roundedUp(sizeBytes, storeIn(group, thin));
  return { group: thin.group, pool: thin.pool, sizeBytes: size };
}

/** @param source null: it begins as an Image, or empty */
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
  if (record.origin !== null) {
    await writeImage(workshop.layout, record.origin, deviceOf(place), signal);
  }
}

/** Of a device that somebody has open already, `O_EXCL` says so. */
async function writeImage(
  layout: StoreLayout,
  { image, format }: VolumeOrigin,
  device: string,
  signal: AbortSignal,
): Promise<void> {
  const disk = await open(device, constants.O_WRONLY | constants.O_EXCL);
  try {
    await withFile(layout.imageFile(image, format), 'read', (bytes, sizeBytes) =>
      writeDisk(bytes, sizeBytes, disk, signal),
    );
  } finally {
    await disk.close();
  }
}

/** Of one that no guest uses. */
export async function growThinVolume(
  tools: Pick<ThinTools, 'lvm'>,
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
