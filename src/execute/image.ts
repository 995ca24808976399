/** Operations on Images. */
import { HostError } from '../host/host-error.ts';
import type { ImageName } from '../model/names.ts';
import type { ObservedImage } from '../model/volume.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { readKept } from './observe-kept.ts';

export async function importImage(
  { image }: OperationOf<'image.import'>,
  bench: Workbench,
): Promise<Done> {
  const isSo = (seen: ObservedImage | null) =>
    seen?.state === 'ready' && seen.digest === image.digest && seen.format === image.format;
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
