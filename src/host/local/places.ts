/** Where the Volumes, Images and seeds of a partition are kept, and how large what is there is. */
import { join } from 'node:path';
import type { ImageName, PartitionName, VolumeName } from '../../model/names.ts';
import type { SeedName } from '../../model/seed.ts';
import { type Observation, present, unknown } from '../../model/observation.ts';
import { explainError } from '../host-error.ts';
import { diskSize } from './disk-file.ts';
import { hasErrno } from './io-error.ts';
import type { Place } from './kept-folder.ts';
import type { StoreLayout } from './layout.ts';
import {
  type ImageDiskRecord,
  imageDiskRecord,
  type ImageRecord,
  imageRecord,
  type DiskRecord,
  type IntakeRecord,
  intakeRecord,
  type SeedRecord,
  seedRecord,
  type VolumeRecord,
  volumeRecord,
} from './record.ts';

export function volumePlace({ volumesDir }: StoreLayout, name: VolumeName): Place<VolumeRecord> {
  return { what: `volume ${name}`, name, folder: join(volumesDir, name), schema: volumeRecord };
}

export function imagePlace({ imagesDir }: StoreLayout, name: ImageName): Place<ImageRecord> {
  return { what: `image ${name}`, name, folder: join(imagesDir, name), schema: imageRecord };
}

/** What is to become an Image. */
export function intakePlace({ intakesDir }: StoreLayout, name: ImageName): Place<IntakeRecord> {
  const what = `the intake of image ${name}`;
  return { what, name, folder: join(intakesDir, name), schema: intakeRecord };
}

/** A partition has one. */
export function imageDiskPlace(
  { imageDiskDir: folder }: StoreLayout,
  name: PartitionName,
): Place<ImageDiskRecord> {
  return { what: 'the image disk', name, folder, schema: imageDiskRecord };
}

export function seedPlace({ seedsDir }: StoreLayout, name: SeedName): Place<SeedRecord> {
  return { what: `seed ${name}`, name, folder: join(seedsDir, name), schema: seedRecord };
}

/**
 * One that is ready and has lost its disk is unknown, and not of size 0: it must never be made
 * anew without anybody noticing. One that is not ready may have no disk yet, or half of one.
 */
export async function observedSize(
  { state, format }: DiskRecord,
  disk: string,
): Promise<Observation<number>> {
  try {
    return present(await diskSize(disk, format));
  } catch (error) {
    if (state !== 'ready') return present(0);
    return unknown(
      hasErrno(error, 'ENOENT') ? `its record is there, and ${disk} is not` : explainError(error),
    );
  }
}
