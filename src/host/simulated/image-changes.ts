/** What each mutating call does to a simulated host's Images, and what it refuses. */
import type { PartitionOwner } from '../../model/identity.ts';
import { movedBy } from '../../model/image-disk.ts';
import type { ImageName } from '../../model/names.ts';
import {
  BOOT_BYTES_MAX,
  type Image,
  type ImageFormat,
  isDiskFormat,
  isUsedAsSupplied,
  type StoredState,
} from '../../model/volume.ts';
import { checkPlace, findOurs, put } from './kept.ts';
import { refused } from './refusal.ts';
import { catalogueFileIn, type FilesMode, fileIn } from './store.ts';
import type { SimulatedFile, SimulatedImage, World } from './world.ts';

export interface Import {
  readonly files: FilesMode;
  /** How far it gets: a crash leaves it `creating`. */
  readonly state: StoredState;
}

export function importImage(
  world: World,
  owner: PartitionOwner,
  image: Image,
  { files, state }: Import,
): void {
  const { name, digest, format } = image;
  const doing = `importing image ${name}`;
  checkPlace(world.images.get(owner.partition)?.get(name), owner, doing);
  const sizeBytes = suppliedBytes(world, owner, image, { files, state }, doing);
  put(world.images, owner.partition, name, {
    owner,
    state,
    digest,
    format,
    sizeBytes,
    fileBytes: sizeBytes,
    moved: movedBy(image.source),
  });
}

/** Nothing comes of it. */
export function verifyImage(
  world: World,
  owner: PartitionOwner,
  image: Image,
  files: FilesMode,
): void {
  suppliedBytes(world, owner, image, { files, state: 'creating' }, `verifying image ${image.name}`);
}

/** What was refused, if it came off the image disk. */
export function dropTakenOut(world: World, owner: PartitionOwner, { name, source }: Image): void {
  const intake = findOurs(world.intakes, owner, name, `dropping what was refused of image ${name}`);
  if (source.kind === 'imageDisk' && intake !== null) intake.receivedBytes = 0;
}

function suppliedBytes(
  world: World,
  owner: PartitionOwner,
  image: Image,
  how: Import,
  doing: string,
): number {
  const { digest, format, virtualBytesMax } = image;
  const source = sourceIn(world, owner, image, how);
  if (source === null) throw refused(doing, 'its bytes are not there');
  if (source.digest !== null && source.digest !== digest) {
    throw refused(doing, `they are ${source.digest}`);
  }
  checkSize(format, source.bytes, virtualBytesMax, doing);
  return source.bytes;
}

/** Those of any Image but a qcow2 that came in are its own from then on. */
function sourceIn(
  world: World,
  owner: PartitionOwner,
  { name, format, source }: Image,
  { files, state }: Import,
): SimulatedFile | null {
  switch (source.kind) {
    case 'file':
      return fileIn(world, files, owner.partition, source.file);
    case 'catalogue':
      return catalogueFileIn(world, files, source.file);
    case 'upload':
    case 'handOver':
    case 'imageDisk':
    case 'url': {
      const intake = world.intakes.get(owner.partition)?.get(name);
      if (intake === undefined) return null;
      if (source.kind !== 'handOver' && intake.receivedBytes < intake.sizeBytes) return null;
      if (isUsedAsSupplied(format) && state === 'ready') intake.heldBytes = 0;
      return { bytes: intake.sizeBytes, digest: null };
    }
  }
}

/** A simulated file is as large as the disk that it holds, whatever its format. */
function checkSize(
  format: ImageFormat,
  bytes: number,
  bytesMax: number | null,
  doing: string,
): void {
  if (bytes === 0) throw refused(doing, 'it is empty');
  if (format === 'raw' && bytes % sectorBytes !== 0) {
    throw refused(doing, `its ${bytes} bytes end within a sector`);
  }
  if (!isDiskFormat(format) && bytes > BOOT_BYTES_MAX[format]) {
    throw refused(doing, `it has ${bytes} bytes`);
  }
  if (bytesMax !== null && bytes > bytesMax) throw refused(doing, `it is a disk of ${bytes} bytes`);
}

const sectorBytes = 512;

/** One that is gone is gone. */
export function deleteImage(world: World, owner: PartitionOwner, name: ImageName): void {
  findUnused(world, owner, name);
  world.images.get(owner.partition)?.delete(name);
}

/** It can begin nothing any more, and is still there. */
export function beginDeleteImage(world: World, owner: PartitionOwner, name: ImageName): void {
  const image = findUnused(world, owner, name);
  if (image !== null) image.state = 'deleting';
}

function findUnused(world: World, owner: PartitionOwner, name: ImageName): SimulatedImage | null {
  const doing = `deleting image ${name}`;
  const image = findOurs(world.images, owner, name, doing);
  for (const [volume, { origin, state }] of world.volumes.get(owner.partition) ?? []) {
    // What is half made or half deleted holds nothing that needs it.
    if (state !== 'ready' || origin?.image !== name || origin.provision !== 'Overlay') continue;
    throw refused(doing, `volume ${volume} lies on it`);
  }
  return image;
}
