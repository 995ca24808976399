/**
 * Where a partition's things are below the state directory. Names are one path component by their
 * type, so no name leads out of its folder:
 *
 *   STATE/PARTITION/files/NAME                    what the operator put there
 *   STATE/PARTITION/volumes/NAME/record.json      whose it is; beside it disk.raw or disk.qcow2
 *   STATE/PARTITION/images/NAME/record.json       the same for Images
 */
import { join } from 'node:path';
import type { FileName, ImageName, PartitionName, VolumeName } from '../../model/names.ts';
import type { DiskFormat } from '../../model/volume.ts';

/** The paths of one partition. */
export interface StoreLayout {
  readonly filesDir: string;
  readonly volumesDir: string;
  readonly imagesDir: string;
  file(name: FileName | string): string;
  volumeDisk(name: VolumeName, format: DiskFormat): string;
  imageDisk(name: ImageName, format: DiskFormat): string;
}

/** @param stateDir absolute */
export function storeLayout(stateDir: string, partition: PartitionName): StoreLayout {
  const filesDir = join(stateDir, partition, 'files');
  const volumesDir = join(stateDir, partition, 'volumes');
  const imagesDir = join(stateDir, partition, 'images');
  return {
    filesDir,
    volumesDir,
    imagesDir,
    file: (name) => join(filesDir, name),
    volumeDisk: (name, format) => join(volumesDir, name, `disk.${format}`),
    imageDisk: (name, format) => join(imagesDir, name, `disk.${format}`),
  };
}
