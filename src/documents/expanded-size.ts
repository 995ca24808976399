/**
 * What the Secondaries of a bundle add up to, before any of them is made: a thousand replicas of a
 * document cost the daemon a thousand times what was sent, in memory and in every status.
 */
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import type { Placed } from './placed.ts';
import type { SecondaryDocument } from './secondary-schema.ts';

const { secondariesMax, expandedLabelBytesMax } = documentLimits;

/** The first document that is too much; null: none is. */
export function tooMuchExpanded(
  documents: readonly Placed<SecondaryDocument>[],
): Diagnostic | null {
  let count = 0;
  let labelBytes = 0;
  for (const { document, source } of documents) {
    const replicas = document.spec.replicas ?? 1;
    count += replicas;
    if (count > secondariesMax) {
      const message = `more than ${secondariesMax} Secondaries, replicas included`;
      const remedy = 'split them over several partitions';
      return source.complain('TooLarge', ['spec', 'replicas'], message, { remedy });
    }
    labelBytes += replicas * labelBytesOf(document);
    if (labelBytes > expandedLabelBytesMax) {
      const message = `more than ${expandedLabelBytesMax} bytes of labels, those of every replica counted`;
      const remedy = 'use fewer labels, or annotations, which are not copied';
      return source.complain('TooLarge', ['metadata', 'labels'], message, { remedy });
    }
  }
  return null;
}

/** As the mark of a domain has them, which is never shorter than UTF-8. */
function labelBytesOf({ metadata }: SecondaryDocument): number {
  return Object.entries(metadata.labels ?? {}).reduce(
    (sum, [key, value]) => sum + key.length + encodeURIComponent(value).length + 2,
    0,
  );
}
