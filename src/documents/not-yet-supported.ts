/**
 * Documents that are right and that nothing can act on yet. They are refused as a whole wherever
 * something would be done about them: half of what somebody asked for is not what they asked for.
 */
import type { Diagnostic } from './diagnostic.ts';
import type { Placed } from './placed.ts';
import type { Kind } from './schema.ts';

/** What acting on a kind still needs, as the end of a sentence; null where it is there. */
const missing: { readonly [K in Kind]: string | null } = {
  Secondary: null,
  Partition: 'partitions have no limits, network and policy yet',
  Volume: 'there are no Volumes yet',
  Image: 'there are no Images yet',
};

export function notYetSupported({ document, source }: Placed): Diagnostic[] {
  const why = missing[document.kind];
  if (why === null) return [];
  const message = `this ${document.kind} is valid, and cannot be applied by this version: ${why}`;
  return [source.complain('NotYetSupported', ['kind'], message)];
}
