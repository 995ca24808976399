/** The operations for one Image. */
import type { ImageChange, Lent } from '../diff/change.ts';
import { imageFields } from '../diff/image.ts';
import type { Image, ObservedImage } from '../model/volume.ts';
import { Chain } from './chain.ts';
import { addTakingBack } from './intake.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends ImageChange['kind']> = Extract<ImageChange, { kind: K }>;

export function imageCreateSteps({ name, image, remains, intake }: Of<'create'>): Steps {
  const chain = new Chain('image', name);
  // Nobody writes any more to what is looked into.
  if (intake !== null) addTakingBack(chain, name, intake);
  // What was being made is made over; anything else has to go first.
  if (remains?.state === 'deleting') chain.add('image.delete', 'release', { image: name });
  const path = pathToTake(image, remains, intake);
  if (path !== null) chain.add('intake.fill', 'provision', { image: name, path });
  const replaced = remains?.state === 'ready' ? remains : null;
  if (replaced !== null) {
    // Bytes that are no good cost nobody those that are there. Nobody waits for their room but those that come.
    chain.add('image.verify', 'provision', { image });
    chain.add('image.delete', 'provision', { image: name });
  }
  chain.add('image.import', 'provision', { image });
  if (intake !== null) chain.add('intake.delete', 'provision', { image: name });
  const whyNew = remains === null ? 'not-on-host' : 'half-made';
  return {
    impact: replaced === null ? 'none' : 'replace',
    reasons: [replaced === null ? whyNew : 'document-changed'],
    fields: imageFields(image, replaced),
    waiting: [],
    operations: chain.operations,
  };
}

/**
 * Where its bytes are on the image disk; null: they come in another way, or a crash has interrupted what was
 * done with those that had been taken off it. To take them once more would have them there twice.
 */
function pathToTake(
  { source }: Image,
  remains: ObservedImage | null,
  intake: Lent | null,
): string | null {
  if (source.kind !== 'imageDisk') return null;
  const isBegun = remains?.state === 'creating';
  return isBegun && intake?.observed.receivedBytes === source.sizeBytes ? null : source.path;
}

export function imageDeleteSteps(
  { name, observed }: Of<'delete'>,
  { deletionReason }: DeletionContext,
): Steps {
  const chain = new Chain('image', name);
  chain.add('image.delete', 'release', { image: name });
  return {
    impact: 'none',
    reasons: [observed.state === 'ready' ? deletionReason : 'half-made'],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}
