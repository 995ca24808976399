/** How a Volume begins with the data of another: byte for byte, shared where the file system can (reflink). */
import type { PartitionOwner } from '../../model/identity.ts';
import type { VolumeName } from '../../model/names.ts';
import type { Volume } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { copyDisk } from './copy-disk.ts';
import { diskSize, growDisk, withFile } from './disk-file.ts';
import { readyRecord } from './kept-folder.ts';
import type { StoreLayout } from './layout.ts';
import { volumePlace } from './places.ts';
import type { VolumeRecord } from './record.ts';
import { backingOf, type Workshop } from './volume-origin.ts';

/**
 * @returns the record of the other
 * @throws HostError `Refused` if the other is not ready, of another kind, or does not fit
 */
export async function checkSource(
  layout: StoreLayout,
  owner: PartitionOwner,
  volume: Volume,
  from: VolumeName,
): Promise<VolumeRecord> {
  const refused = (why: string, cause?: unknown) =>
    new HostError('Refused', `volume ${volume.name} cannot begin so: ${why}`, { cause });
  const source = await readyRecord(volumePlace(layout, from), owner).catch((error: unknown) => {
    throw refused(`volume ${from} cannot be used`, error);
  });
  const ground = backingOf(layout, source.origin)?.path;
  if (source.format !== volume.format || ground !== backingOf(layout, volume.origin)?.path) {
    throw refused(
      `volume ${from} is ${source.format} on ${ground ?? 'no image'}, and a copy is too`,
    );
  }
  const disk = layout.volumeDisk(from, source.format);
  const sizeBytes = source.thin?.sizeBytes ?? (await diskSize(disk, source.format));
  if (sizeBytes > volume.sizeBytes) {
    throw refused(`volume ${from} has ${sizeBytes} bytes, and it ${volume.sizeBytes}`);
  }
  return source;
}

/** Nothing of the bytes is read but to copy them. */
export async function makeFromVolume(
  { layout, qemuImg }: Workshop,
  disk: string,
  { format, sizeBytes, origin }: Volume,
  from: VolumeName,
  signal: AbortSignal,
): Promise<void> {
  const path = layout.volumeDisk(from, format);
  await withFile(path, 'read', (source, bytes) => copyDisk(source, bytes, disk, signal));
  await growDisk(disk, format, sizeBytes, backingOf(layout, origin), qemuImg, signal);
}
