/** The operations for one Image. */
import type { ImageChange } from '../diff/change.ts';
import { imageFields } from '../diff/image.ts';
import { Chain } from './chain.ts';
import { addTakingBack } from './intake.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends ImageChange['kind']> = Extract<ImageChange, { kind: K }>;

export function imageCreateSteps({ name, image, remains, intake, path }: Of<'create'>): Steps {
  const chain = new Chain('image', name);
  // Nobody writes any more to what is looked into.
  if (intake !== null) addTakingBack(chain, name, intake);
  // What was being made is made over; anything else has to go first.
  if (remains?.state === 'deleting') chain.add('image.delete', 'release', { image: name });
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
