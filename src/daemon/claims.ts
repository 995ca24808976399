/** What a partition's description asks for of its host. */
import { type PartitionDocument, partitionSchema } from '../documents/partition-schema.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import { type Claim, noClaim } from '../partition/claim.ts';

export interface Claimed {
  readonly claim: Claim;
  /** Whether it has limits; without, it counts with nothing. */
  readonly isLimited: boolean;
}

/** @param before what it asked for before: of a description that is not valid that still holds */
export function claimedBy({ value }: PlainDocument, before: Claimed | undefined): Claimed {
  const parsed = partitionSchema.safeParse(value);
  if (parsed.success) return claimedIn(parsed.data);
  return before ?? { claim: noClaim, isLimited: false };
}

function claimedIn({ spec: { limits, network, guarantees } }: PartitionDocument): Claimed {
  const claim = {
    vcpus: limits?.vcpus ?? 0,
    memoryBytes: limits?.memory ?? 0,
    cidr: network?.cidr ?? null,
    cpuset: guarantees?.cpuset ?? null,
    guaranteedBytes: guarantees?.memory ?? 0,
  };
  return { claim, isLimited: limits !== undefined };
}
