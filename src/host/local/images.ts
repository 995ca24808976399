/**
 * A partition's Images: `STATE/PARTITION/images/NAME`. Once made (image-import.ts) their bytes are
 * never written again, and readable to all: QEMU reads them for every overlay, as a user of its own.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PartitionOwner } from '../../model/identity.ts';
import { movedBy } from '../../model/image-disk.ts';
import type { ImageName, PartitionName, VolumeName } from '../../model/names.ts';
import { type Observation, present } from '../../model/observation.ts';
import { type Image, isDiskFormat, type ObservedImage } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { isObjection } from '../image-objection.ts';
import type { ImageReader, ImageWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { fileSize, withFile } from './disk-file.ts';
import { checkSource, type ImageSource, makeImage, verifySource } from './image-import.ts';
import { letGoOfIntake, seeGood } from './held-intakes.ts';
import { hasErrno } from './io-error.ts';
import { dropTakenOut, sealIntake } from './intakes.ts';
import {
  emptyPlace,
  fillPlace,
  lookInto,
  namesIn,
  type Place,
  requireRoom,
} from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { imagePlace, intakePlace, observedSize, volumePlace } from './places.ts';
import { type QemuImgFor, sandboxedQemuImg } from './qemu-img.ts';
import { type ImageRecord, ownerOf } from './record.ts';
import type { Workshop } from './volume-origin.ts';
import { localImagePlaces } from './worker-places.ts';

export function localImageReader(stateDir: string): ImageReader {
  const layoutOf = (partition: PartitionName) => storeLayout(resolve(stateDir), partition);
  return {
    list: (partition, signal) =>
      attempt('listing images', signal, () => namesIn(layoutOf(partition).imagesDir)),
    read: (partition, name, signal) =>
      attempt(`reading image ${name}`, signal, () => readImage(layoutOf(partition), name)),
  };
}

/** @param qemuImgFor looks into what is supplied */
export function localImages(
  stateDir: string,
  qemuImgFor: QemuImgFor = sandboxedQemuImg(localImagePlaces(stateDir)),
): ImageReader & ImageWriter {
  const layoutOf = (owner: PartitionOwner) => storeLayout(resolve(stateDir), owner.partition);
  const workshopOf = (owner: PartitionOwner): Workshop => ({
    layout: layoutOf(owner),
    qemuImg: qemuImgFor(owner.partition),
  });
  const letGo: ImageWriter['letGo'] = (owner, name) =>
    letGoOfIntake(intakePlace(layoutOf(owner), name).folder);
  return {
    ...localImageReader(stateDir),
    import: (owner, image, signal) =>
      attempt(`importing image ${image.name}`, signal, () =>
        judging(layoutOf(owner), owner, image, () =>
          importImage(workshopOf(owner), owner, image, signal).finally(() =>
            letGo(owner, image.name),
          ),
        ),
      ),
    verify: (owner, image, signal) =>
      attempt(`verifying image ${image.name}`, signal, () =>
        judging(layoutOf(owner), owner, image, () =>
          verifyImage(workshopOf(owner), owner, image, signal),
        ),
      ),
    letGo,
    delete: (owner, name, signal) =>
      attempt(`deleting image ${name}`, signal, () => deleteImage(layoutOf(owner), owner, name)),
  };
}

/** On the image disk may be another file by the time that its Primary speaks of it again. */
async function judging(
  layout: StoreLayout,
  owner: PartitionOwner,
  { name, source }: Image,
  judge: () => Promise<void>,
): Promise<void> {
  try {
    await judge();
  } catch (error) {
    if (source.kind === 'imageDisk' && isObjection(error)) {
      // What cannot be dropped is seen to be no good once more.
      await dropTakenOut(layout, owner, name).catch(() => undefined);
    }
    throw error;
  }
}

async function readImage(
  layout: StoreLayout,
  name: ImageName,
): Promise<Observation<ObservedImage>> {
  const seen = await lookInto(imagePlace(layout, name));
  if (seen.status !== 'present') return seen;
  if (seen.value === null) {
    const nothing = { state: 'ready', digest: '', format: 'raw', sizeBytes: 0 } as const;
    return present({ name, owner: null, ...nothing, fileBytes: 0, moved: null });
  }
  const { state, digest, format, moved = null } = seen.value;
  const size = await observedSize(seen.value, layout.imageFile(name, format));
  if (size.status !== 'present') return size;
  const fileBytes =
    state === 'ready'
      ? await fileSize(layout.imageFile(name, format))
      : await remainsBytes(imagePlace(layout, name).folder);
  return present({
    name,
    owner: ownerOf(seen.value),
    state,
    digest,
    format,
    sizeBytes: size.value,
    fileBytes,
    moved,
  });
}

/** What a crash has left takes room too. What is somebody else's as well counts there. */
async function remainsBytes(folder: string): Promise<number> {
  const stats = await Promise.all(
    (await readdir(folder)).map((file) => lstat(join(folder, file)).catch(() => null)),
  );
  return stats.reduce((sum, file) => sum + (file?.nlink === 1 ? file.size : 0), 0);
}

async function importImage(
  { layout, qemuImg }: Workshop,
  owner: PartitionOwner,
  image: Image,
  signal: AbortSignal,
): Promise<void> {
  const { name, digest, format } = image;
  const place = imagePlace(layout, name);
  await requireRoom(place, owner);
  const common = { formatVersion: 1, kind: 'image', state: 'ready' } as const;
  const moved = movedBy(image.source);
  const is = { name, digest, format, ...(moved === null ? {} : { moved }) };
  const record: ImageRecord = { ...common, ...owner, ...is };
  await withSource(layout, owner, image, async (source) => {
    await checkSource(source, image);
    const paths = { made: layout.imageFile(name, format), supplied: layout.imageSupplied(name) };
    await fillPlace(place, record, () => makeImage(source, image, paths, qemuImg, signal));
  });
}

async function verifyImage(
  { layout, qemuImg }: Workshop,
  owner: PartitionOwner,
  image: Image,
  signal: AbortSignal,
): Promise<void> {
  const { folder } = intakePlace(layout, image.name);
  try {
    await withSource(layout, owner, image, (source) => {
      const look = () => verifySource(source, image, qemuImg, signal);
      // Of what somebody may still write to nothing is remembered.
      return source.sealedPath === null ? look() : seeGood(folder, image, look);
    });
  } catch (error) {
    letGoOfIntake(folder);
    throw error;
  }
}

interface Source {
  readonly path: string;
  /** Nobody can write to it any more. */
  readonly isOurs: boolean;
}

async function sourceOf(
  layout: StoreLayout,
  owner: PartitionOwner,
  { name, source }: Image,
): Promise<Source> {
  switch (source.kind) {
    case 'file':
      return { path: layout.file(source.file), isOurs: false };
    case 'catalogue':
      return { path: layout.catalogueFile(source.file), isOurs: false };
    case 'upload':
    case 'handOver':
    case 'imageDisk':
    case 'url':
      return { path: await sealIntake(layout, owner, name), isOurs: true };
  }
}

/** For people. */
function sourceWords({ source }: Image): string {
  if ('file' in source) return source.file;
  return source.kind === 'url' ? 'what was fetched' : 'what was handed in';
}

/** @throws HostError `Refused` if there is no such regular file */
async function withSource(
  layout: StoreLayout,
  owner: PartitionOwner,
  image: Image,
  use: (source: ImageSource) => Promise<void>,
): Promise<void> {
  const { path, isOurs } = await sourceOf(layout, owner, image);
  const sealedPath = isOurs ? path : null;
  let opened = false;
  try {
    await withFile(path, 'read', (file, sizeBytes) => {
      opened = true;
      return use({ name: sourceWords(image), file, sizeBytes, sealedPath });
    });
  } catch (error) {
    if (opened) throw error;
    if (hasErrno(error, 'ENOENT')) throw new HostError('Refused', `there is no ${path}`);
    // What O_NOFOLLOW says of one.
    if (hasErrno(error, 'ELOOP')) throw new HostError('Refused', `${path} is a symbolic link`);
    throw error;
  }
}

async function deleteImage(
  layout: StoreLayout,
  owner: PartitionOwner,
  name: ImageName,
): Promise<void> {
  const place = imagePlace(layout, name);
  if (await mayBeDisk(place)) await checkNothingLiesOn(layout, name);
  await emptyPlace(place, owner);
}

/** What else it is, its record says. */
async function mayBeDisk(place: Place<ImageRecord>): Promise<boolean> {
  const seen = await lookInto(place);
  return seen.status !== 'present' || seen.value === null || isDiskFormat(seen.value.format);
}

/** @throws HostError `Refused` if a Volume does, or may */
async function checkNothingLiesOn(layout: StoreLayout, name: ImageName): Promise<void> {
  for (const volume of await namesIn<VolumeName>(layout.volumesDir)) {
    const seen = await lookInto(volumePlace(layout, volume));
    if (seen.status === 'unknown') {
      const cause = new Error(seen.why);
      throw new HostError('Refused', `volume ${volume} may lie on image ${name}`, { cause });
    }
    const origin = seen.status === 'present' ? seen.value?.origin : null;
    const lies = origin?.provision === 'Overlay' && origin.image === name;
    // What is half made or half deleted holds nothing that needs it.
    if (!lies || (seen.status === 'present' && seen.value?.state !== 'ready')) continue;
    throw new HostError('Refused', `volume ${volume} lies on image ${name}`);
  }
}
