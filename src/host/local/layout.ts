/**
 * Where a partition's things are below the state directory. Names are one path component by their
 * type, so no name leads out of its folder:
 *
 *   STATE/PARTITION/files/NAME                    what the operator put there
 *   STATE/PARTITION/volumes/NAME/record.json      whose it is; beside it disk.raw or disk.qcow2
 *   STATE/PARTITION/images/NAME/record.json       the same for Images, with bzImage or initrd for what is no disk
 *   STATE/PARTITION/intakes/NAME/record.json      and for where an Image's bytes come in
 *   STATE/PARTITION/image-disk/record.json        and for the image disk, with disk-0.raw or disk-1.raw
 *   STATE/catalogue.d/NAME                        what the operator lets partitions make Images of
 *   STATE/PARTITION/seeds/NAME/record.json        and for seeds, with seed.iso or ignition.json
 */
import { join } from 'node:path';
import type { FileName, ImageName, PartitionName, VolumeName } from '../../model/names.ts';
import type { SeedForm, SeedName } from '../../model/seed.ts';
import type { DiskFormat, ImageFormat } from '../../model/volume.ts';

export const SUPPLIED_FILE = 'supplied';
export const IMAGE_FILES: { readonly [F in ImageFormat]: string } = {
  raw: 'disk.raw',
  qcow2: 'disk.qcow2',
  bzImage: 'bzImage',
  initrd: 'initrd',
};
export const SEED_FILES: { readonly [F in SeedForm]: string } = {
  'cloud-init': 'seed.iso',
  ignition: 'ignition.json',
};

/** The paths of one partition. */
export interface StoreLayout {
  readonly filesDir: string;
  readonly volumesDir: string;
  readonly imagesDir: string;
  readonly intakesDir: string;
  readonly seedsDir: string;
  catalogueFile(name: FileName): string;
  file(name: FileName | string): string;
  volumeDisk(name: VolumeName, format: DiskFormat): string;
  /** The block device that a Volume is; null: it is that file. Where nobody has looked, all are files. */
  volumeDevice(name: VolumeName, format: DiskFormat): string | null;
  imageFile(name: ImageName, format: ImageFormat): string;
  /** Our copy of what was supplied, while it is looked into. */
  imageSupplied(name: ImageName): string;
  /** While bytes come in. */
  intakeDisk(name: ImageName): string;
  /** Once they all have. */
  sealedDisk(name: ImageName): string;
  /** While they are taken out of the image disk. */
  takenFile(name: ImageName): string;
  readonly imageDiskDir: string;
  /** Its record says which of the two it is. */
  imageDiskFile(which: 0 | 1): string;
  seedFile(name: SeedName, form: SeedForm): string;
}

export const SEALED_DISK = 'disk.sealed';
export const TAKEN_FILE = 'disk.taken';
export const IMAGE_DISK_FILES = ['disk-0.raw', 'disk-1.raw'] as const;

/** No partition has such a name. */
export function cataloguePath(stateDir: string): string {
  return join(stateDir, 'catalogue.d');
}

/** @param stateDir absolute */
export function storeLayout(stateDir: string, partition: PartitionName): StoreLayout {
  const filesDir = join(stateDir, partition, 'files');
  const volumesDir = join(stateDir, partition, 'volumes');
  const imagesDir = join(stateDir, partition, 'images');
  const intakesDir = join(stateDir, partition, 'intakes');
  const seedsDir = join(stateDir, partition, 'seeds');
  const imageDiskDir = join(stateDir, partition, 'image-disk');
  return {
    filesDir,
    volumesDir,
    imagesDir,
    intakesDir,
    catalogueFile: (name) => join(cataloguePath(stateDir), name),
    seedsDir,
    file: (name) => join(filesDir, name),
    volumeDisk: (name, format) => join(volumesDir, name, `disk.${format}`),
    volumeDevice: () => null,
    imageFile: (name, format) => join(imagesDir, name, IMAGE_FILES[format]),
    intakeDisk: (name) => join(intakesDir, name, 'disk.raw'),
    sealedDisk: (name) => join(intakesDir, name, SEALED_DISK),
    takenFile: (name) => join(intakesDir, name, TAKEN_FILE),
    imageDiskDir,
    imageDiskFile: (which) => join(imageDiskDir, IMAGE_DISK_FILES[which]),
    imageSupplied: (name) => join(imagesDir, name, SUPPLIED_FILE),
    seedFile: (name, form) => join(seedsDir, name, SEED_FILES[form]),
  };
}
