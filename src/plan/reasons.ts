/** Why something differs, by who made the differences: in the same words for every kind of resource. */
import type { Reason } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import type { DeletionContext } from './steps.ts';

export function reasonsOfFields(changes: readonly FieldChange[]): Reason[] {
  const origins = new Set(changes.map(({ origin }) => origin));
  const reasons: Reason[] = [];
  if (origins.has('document') || origins.has('both') || origins.has('unknown')) {
    reasons.push('document-changed');
  }
  if (origins.has('outside') || origins.has('both')) reasons.push('changed-outside');
  return reasons;
}

/** Of the network, and of what goes with it or the limits: a document asks for none, so that none is missing. */
export function reasonsOfNone({ deletionReason }: DeletionContext): Reason[] {
  return [deletionReason === 'asked-for' ? deletionReason : 'document-changed'];
}
