/** Intakes of a simulated host whose bytes others may be given up for: nothing begins anew in their place. */
import type { PartitionOwner } from '../../model/identity.ts';
import type { ImageName, PartitionName } from '../../model/names.ts';

export interface HeldIntakes {
  readonly hold: (owner: PartitionOwner, image: ImageName) => void;
  readonly letGo: (owner: PartitionOwner, image: ImageName) => void;
  readonly isHeld: (owner: PartitionOwner, image: ImageName) => boolean;
}

export function heldIntakes(): HeldIntakes {
  const held = new Map<PartitionName, Set<ImageName>>();
  return {
    hold: ({ partition }, image) =>
      void held.set(partition, new Set([...(held.get(partition) ?? []), image])),
    letGo: ({ partition }, image) => void held.get(partition)?.delete(image),
    isHeld: ({ partition }, image) => held.get(partition)?.has(image) ?? false,
  };
}
