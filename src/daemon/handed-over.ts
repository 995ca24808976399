/** What a Primary says of the disks that it was lent, beside what its documents say. */
import type { Outcome } from '../execute/outcome.ts';
import { succeeded } from '../execute/outcome.ts';
import type { ImageName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { WrittenImage } from './accepted/wish-schema.ts';

type Images = DesiredState['images'];

/** Only of the very bytes that were meant. */
export function withWritten(images: Images, written: readonly WrittenImage[]): Images {
  if (written.length === 0) return images;
  const said = new Map(written.map(({ image, digest }) => [image, digest]));
  return new Map(
    [...images].map(([name, image]) => {
      const { source, digest } = image;
      if (source.kind !== 'handOver' || said.get(name) !== digest) return [name, image];
      return [name, { ...image, source: { ...source, isWritten: true } }];
    }),
  );
}

/** Images of which a pass has found out whether what was handed in is good. */
export function judgedImages(outcomes: readonly Outcome[]): readonly ImageName[] {
  return outcomes.flatMap(({ operation, result }) => {
    if (operation.kind !== 'image.import') return [];
    const isJudged = succeeded(result) || (result.status === 'failed' && !result.failure.retryable);
    return isJudged ? [operation.image.name] : [];
  });
}
