/** Operations on Images. */
import { HostError } from '../host/host-error.ts';
import type { ImageName } from '../model/names.ts';
import { isOfImage, type ObservedImage } from '../model/volume.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { readKept } from './observe-kept.ts';

/** It has no effect that could be observed. */
export async function verifyImage(
  { image }: OperationOf<'image.verify'>,
  bench: Workbench,
): Promise<Done> {
  const there = await readImage(image.name, bench);
  // Of one that is gone, or is that already, nothing is lost by bytes that are no good.
  if (there?.state !== 'ready' || isOfImage(image, there)) return 'already';
  await bench.host.images.verify(bench.us, image, bench.signal);
  return 'applied';
}

export async function importImage(
  { image }: OperationOf<'image.import'>,
  bench: Workbench,
): Promise<Done> {
  const isSo = (seen: ObservedImage | null) => seen?.state === 'ready' && isOfImage(image, seen);
  if (isSo(await readImage(image.name, bench))) return 'already';
  await bench.host.images.import(bench.us, image, bench.signal);
  if (isSo(await readImage(image.name, bench))) return 'applied';
  throw new HostError('Conflict', `image ${image.name} is not what was imported`);
}

export async function deleteImage(
  { image }: OperationOf<'image.delete'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readImage(image, bench)) === null) return 'already';
  await bench.host.images.delete(bench.us, image, bench.signal);
  if ((await readImage(image, bench)) === null) return 'applied';
  throw new HostError('Conflict', `image ${image} is still there after it was deleted`);
}

async function readImage(name: ImageName, bench: Workbench): Promise<ObservedImage | null> {
  const image = await readKept(`image ${name}`, bench.host.images, name, bench);
  if (image !== null) checkPartition(`image ${name}`, image.owner, bench.us);
  return image;
}
