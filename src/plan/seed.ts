/** The operations for one seed. */
import type { SeedChange } from '../diff/change.ts';
import { seedFields } from '../diff/seed.ts';
import { Chain } from './chain.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends SeedChange['kind']> = Extract<SeedChange, { kind: K }>;

export function seedCreateSteps({ name, seed, remains }: Of<'create'>): Steps {
  const chain = new Chain('seed', name);
  // Whatever was being deleted goes first; what was being made is made over.
  if (remains?.state === 'deleting') chain.add('seed.delete', 'release', { seed: name });
  chain.add('seed.create', 'provision', { seed });
  return {
    impact: 'none',
    reasons: [remains === null ? 'not-on-host' : 'half-made'],
    fields: seedFields(seed),
    waiting: [],
    operations: chain.operations,
  };
}

/** It can be made anew from its document, so that no data is lost. */
export function seedDeleteSteps(
  { name, observed }: Of<'delete'>,
  { deletionReason }: DeletionContext,
): Steps {
  const chain = new Chain('seed', name);
  chain.add('seed.delete', 'release', { seed: name });
  return {
    impact: 'none',
    reasons: [observed.state === 'ready' ? deletionReason : 'half-made'],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}
