/** What a Primary says of the disks that it was lent, the image disk too, beside what its documents say. */
import type { Block } from '../diff/change.ts';
import { rootOf } from '../diff/ownership.ts';
import type { Outcome } from '../execute/outcome.ts';
import { succeeded } from '../execute/outcome.ts';
import type { ImageName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Image, ImageSource } from '../model/volume.ts';
import type { PlanEntry } from '../plan/entry.ts';
import type { WrittenImage } from './accepted/wish-schema.ts';

type Images = DesiredState['images'];

/** Only of the very bytes that were meant. */
export function withWritten(images: Images, written: readonly WrittenImage[]): Images {
  if (written.length === 0) return images;
  const said = new Map(written.map((each) => [each.image, each]));
  return new Map(
    [...images].map(([name, image]) => {
      const { source } = image;
      const word = said.get(name);
      if (!isOnDisk(source) || word === undefined || !isAbout(word, image)) return [name, image];
      return [name, { ...image, source: { ...source, isWritten: true } }];
    }),
  );
}

export function isAbout(
  { digest, sizeBytes }: WrittenImage,
  image: Image | null | undefined,
): boolean {
  if (image === null || image === undefined || !isOnDisk(image.source)) return false;
  return image.digest === digest && image.source.sizeBytes === sizeBytes;
}

type OnDisk = Extract<ImageSource, { isWritten: boolean }>;

/** Whether its Primary has something to say about it. */
export function isOnDisk(source: ImageSource): source is OnDisk {
  return source.kind === 'handOver' || source.kind === 'imageDisk';
}

/** What is there needs no word any more, also one that a crash has left. */
export function readyImages(entries: readonly PlanEntry[]): readonly ImageName[] {
  return entries.flatMap(({ kind, resource }) =>
    // Names of resources are those of what they are.
    kind === 'unchanged' && resource.kind === 'image' ? [resource.name as ImageName] : [],
  );
}

/** What ends by itself, and soon: the host is read again, what has failed is tried again, what is missing is made. */
const passing: ReadonlySet<Block['code']> = new Set(['HostUnknown', 'BackOff', 'AwaitingBytes']);

/**
 * Images that are blocked until somebody does something about it. By then their Primary may have its disk in use again,
 * and would lose it by a word of long ago.
 */
export function heldUp(entries: readonly PlanEntry[]): ReadonlyMap<ImageName, Block> {
  const blocks = new Map<ImageName, Block>();
  for (const entry of entries) {
    if (entry.kind !== 'blocked' || entry.resource.kind !== 'image') continue;
    const { resource, block } = entry;
    // Names of resources are those of what they are.
    if (!passing.has(rootOf(block).code)) blocks.set(resource.name as ImageName, block);
  }
  return blocks;
}

/** Why nobody would take it now; null: somebody would. */
export function blockIn(entries: readonly PlanEntry[], image: ImageName): Block | null {
  const entry = entries.find(({ resource: { kind, name } }) => kind === 'image' && name === image);
  return entry?.kind === 'blocked' ? entry.block : null;
}

/** Images of which a pass has found out that their bytes are others than they are to be. */
export function otherBytes(outcomes: readonly Outcome[]): readonly ImageName[] {
  return outcomes.flatMap(({ operation, result }) => {
    if (operation.kind !== 'image.verify' && operation.kind !== 'image.import') return [];
    if (result.status !== 'failed') return [];
    // As objections stand in messages.
    return result.failure.message.includes('(DigestMismatch)') ? [operation.image.name] : [];
  });
}

/** Images of which a pass has found out whether what was handed in is good. */
export function judgedImages(outcomes: readonly Outcome[]): readonly ImageName[] {
  return outcomes.flatMap(({ operation, result }) => {
    const isRefused = result.status === 'failed' && !result.failure.retryable;
    if (operation.kind === 'intake.fill') return isRefused ? [operation.image] : [];
    if (operation.kind === 'image.verify') return isRefused ? [operation.image.name] : [];
    if (operation.kind !== 'image.import') return [];
    return succeeded(result) || isRefused ? [operation.image.name] : [];
  });
}
