/** How a Volume begins as an Image: with bytes of its own, or lying on the Image's. */
import type { PartitionOwner } from '../../model/identity.ts';
import type { Volume, VolumeOrigin } from '../../model/volume.ts';
import { explainError, HostError } from '../host-error.ts';
import { copyDisk } from './copy-disk.ts';
import { diskSize, growDisk, makeDisk, withFile } from './disk-file.ts';
import { readyRecord } from './kept-folder.ts';
import type { StoreLayout } from './layout.ts';
import { imagePlace } from './places.ts';
import type { ExpectedBacking } from './qcow2-rules.ts';
import type { QemuImg } from './qemu-img.ts';

/** @throws HostError `Refused` if the Image is not ready, not the one meant, or does not fit */
export async function checkOrigin(
  layout: StoreLayout,
  owner: PartitionOwner,
  volume: Volume,
  origin: VolumeOrigin,
): Promise<void> {
  const refused = (why: string, cause?: unknown) =>
    new HostError('Refused', `volume ${volume.name} cannot begin so: ${why}`, { cause });
  const { image, digest, format, provision } = origin;
  const record = await readyRecord(imagePlace(layout, image), owner).catch((error: unknown) => {
    throw refused(`image ${image} cannot be used`, error);
  });
  if (record.digest !== digest) throw refused(`image ${image} is ${record.digest}, not ${digest}`);
  if (record.format !== format) throw refused(`image ${image} is ${record.format}, not ${format}`);
  const needed = provision === 'Overlay' ? 'qcow2' : format;
  if (volume.format !== needed) {
    throw refused(`${provision} of a ${format} image is ${needed}, not ${volume.format}`);
  }
  const sizeBytes = await sizeOf(layout, origin);
  if (sizeBytes > volume.sizeBytes) {
    throw refused(`image ${image} has ${sizeBytes} bytes, and it ${volume.sizeBytes}`);
  }
}

/** Where Volumes are made, and by what they grow. */
export interface Workshop {
  readonly layout: StoreLayout;
  readonly qemuImg: QemuImg;
}

export async function makeFromImage(
  { layout, qemuImg }: Workshop,
  disk: string,
  { format, sizeBytes }: Volume,
  origin: VolumeOrigin,
  signal: AbortSignal,
): Promise<void> {
  const path = layout.imageFile(origin.image, origin.format);
  switch (origin.provision) {
    case 'Overlay':
      await makeDisk(disk, format, sizeBytes, { path, format: origin.format }, signal);
      return;
    case 'Copy':
      await withFile(path, 'read', (image, bytes) => copyDisk(image, bytes, disk, signal));
      await growDisk(disk, format, sizeBytes, null, qemuImg, signal);
  }
}

/** What an overlay lies on, as QEMU is told of it. */
export function backingOf(
  layout: StoreLayout,
  origin: VolumeOrigin | null,
): ExpectedBacking | null {
  if (origin?.provision !== 'Overlay') return null;
  return { path: layout.imageFile(origin.image, origin.format), format: origin.format };
}

async function sizeOf(layout: StoreLayout, { image, format }: VolumeOrigin): Promise<number> {
  try {
    return await diskSize(layout.imageFile(image, format), format);
  } catch (error) {
    throw new HostError('Refused', `looking at image ${image}: ${explainError(error)}`);
  }
}
