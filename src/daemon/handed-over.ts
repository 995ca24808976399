/** What a Primary says of the disks that it was lent, the image disk too, beside what its documents say. */
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

export function isAbout({ digest, sizeBytes }: WrittenImage, image: Image | undefined): boolean {
  if (image === undefined || !isOnDisk(image.source)) return false;
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

/** Images of which a pass has found out that their bytes are others than they are to be. */
export function otherBytes(outcomes: readonly Outcome[]): readonly ImageName[] {
  return outcomes.flatMap(({ operation, result }) => {
    if (operation.kind !== 'image.import' || result.status !== 'failed') return [];
    // As objections stand in messages.
    return result.failure.message.includes('(DigestMismatch)') ? [operation.image.name] : [];
  });
}

/** Images of which a pass has found out whether what was handed in is good. */
export function judgedImages(outcomes: readonly Outcome[]): readonly ImageName[] {
  return outcomes.flatMap(({ operation, result }) => {
    const isRefused = result.status === 'failed' && !result.failure.retryable;
    if (operation.kind === 'intake.fill') return isRefused ? [operation.image] : [];
    if (operation.kind !== 'image.import') return [];
    return succeeded(result) || isRefused ? [operation.image.name] : [];
  });
}
