/** Whose Primary may speak on the channel: what the operator's documents say, and nobody else. */
import { partitionSchema } from '../documents/partition-schema.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { PartitionName } from '../model/names.ts';

/**
 * By libvirt's name of the Primary. One that two partitions name speaks for neither: nobody could say
 * for which.
 */
export function channelUsers(
  descriptions: ReadonlyMap<PartitionName, PlainDocument>,
): ReadonlyMap<string, PartitionName> {
  const users = new Map<string, PartitionName>();
  const named = new Set<string>();
  const twice = new Set<string>();
  for (const [partition, { value }] of descriptions) {
    const parsed = partitionSchema.safeParse(value);
    if (!parsed.success || parsed.data.spec.primary === undefined) continue;
    const { source, primary } = parsed.data.spec;
    if (named.has(primary.domain)) twice.add(primary.domain);
    named.add(primary.domain);
    if (source === 'Channel') users.set(primary.domain, partition);
  }
  for (const domainName of twice) users.delete(domainName);
  return users;
}
