/** The operations for the slice of a partition. */
import type { SliceChange } from '../diff/change.ts';
import { initialSliceFields } from '../diff/slice.ts';
import { type PartitionOwner, slicePath } from '../model/identity.ts';
import { Chain } from './chain.ts';
import { reasonsOfFields, reasonsOfNone } from './reasons.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends SliceChange['kind']> = Extract<SliceChange, { kind: K }>;

export function sliceCreateSteps({ name, fields }: Of<'create'>, owner: PartitionOwner): Steps {
  const chain = new Chain('slice', name);
  chain.add('slice.apply', 'prepare', { slice: { path: slicePath(owner) }, fields });
  return {
    impact: 'none',
    reasons: ['not-on-host'],
    fields: initialSliceFields(fields),
    waiting: [],
    operations: chain.operations,
  };
}

/** It is never made smaller than what is in it, so that nobody has to leave it first. */
export function sliceUpdateSteps(
  { name, fields, changes }: Of<'update'>,
  owner: PartitionOwner,
): Steps {
  const chain = new Chain('slice', name);
  if (changes.length > 0) {
    chain.add('slice.apply', 'prepare', { slice: { path: slicePath(owner) }, fields });
  }
  return {
    impact: 'live',
    reasons: reasonsOfFields(changes),
    fields: changes,
    waiting: [],
    operations: chain.operations,
  };
}

export function sliceDeleteSteps(
  { name }: Of<'delete'>,
  owner: PartitionOwner,
  context: DeletionContext,
): Steps {
  const chain = new Chain('slice', name);
  chain.add('slice.remove', 'release', { slice: { path: slicePath(owner) } });
  return {
    impact: 'none',
    reasons: reasonsOfNone(context),
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}
