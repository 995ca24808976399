/** What a partition has by now, counted from what was seen of its host. */
import type { Observed, ObservedDomain } from '../model/domain.ts';
import { type PartitionOwner, samePartition } from '../model/identity.ts';
import type { Observation } from '../model/observation.ts';
import { resourceKey, type ResourceKind } from '../model/resource.ts';
import type { ObservedImageDisk } from '../model/image-disk.ts';
import type { ObservedIntake } from '../model/intake.ts';
import type { Seed } from '../model/seed.ts';
import type { ObservedImage, ObservedVolume } from '../model/volume.ts';
import { type AmountName, type Amounts, amounts, nothing, sum } from './amounts.ts';
import type { DesiredState } from '../model/secondary.ts';
import { primaryAmounts } from './carving.ts';
import { machineBytes } from '../model/overhead.ts';

export interface Allocation {
  readonly amounts: Amounts;
  /** Why there may be more of it; null: there is not. */
  readonly unknown: { readonly [Name in AmountName]: string | null };
}

/** What one Secondary, Volume, Image or seed has, or the image disk. */
export interface Holder {
  /** As `resourceKey` names it. */
  readonly owner: string;
  readonly amounts: Amounts;
}

export function allocationOf(observed: Observed, primary: DesiredState['primary']): Allocation {
  return {
    amounts: sum(holdersOf(observed, primary).map((each) => each.amounts)),
    unknown: unknownOf(observed),
  };
}

/** Everybody of ours who has something. */
export function holdersOf(observed: Observed, primary: DesiredState['primary']): readonly Holder[] {
  const { partition, domains, volumes, imageDisk, intakes, images, seeds } = observed;
  return [
    ...held('secondary', domains, observed, domainAmounts),
    ...held('volume', volumes, observed, volumeAmounts),
    ...held('image-disk', new Map([[partition, imageDisk]]), observed, imageDiskAmounts),
    ...held('intake', intakes, observed, intakeAmounts),
    ...held('image', images, observed, imageAmounts),
    ...held('seed', seeds, observed, seedAmounts),
    ...primaryHolder(observed, primary),
  ];
}

/** What is reserved for one that is not there stays free for it. */
function primaryHolder(
  { partition: name, primary: seen }: Observed,
  wanted: DesiredState['primary'],
): readonly Holder[] {
  if (wanted === null || wanted === 'unspoken') return [];
  const own = seen.status === 'present' ? primaryAmounts(seen.value) : amounts(wanted.reserved);
  return [{ owner: resourceKey({ kind: 'primary', name }), amounts: own }];
}

function held<T extends { readonly owner: PartitionOwner | null }>(
  kind: ResourceKind,
  all: ReadonlyMap<string, Observation<T>>,
  us: PartitionOwner,
  of: (value: T) => Amounts,
): readonly Holder[] {
  return [...all].flatMap(([name, seen]) =>
    seen.status === 'present' && isOurs(seen.value, us)
      ? [{ owner: resourceKey({ kind, name }), amounts: of(seen.value) }]
      : [],
  );
}

/** A domain that is defined is one, and what its guest has counts from its start to its end. */
function domainAmounts(domain: ObservedDomain): Amounts {
  return { ...guestAmounts(domain), secondaries: 1 };
}

/**
 * By what the guest was started with, and not by its balloon: a guest can take back what it has given,
 * and has taken it back after its next reboot.
 */
export function guestAmounts({ live, translationCacheBytes }: ObservedDomain): Amounts {
  if (live === null) return nothing;
  return amounts({
    vcpus: live.vcpusMax,
    memoryBytes: machineBytes({
      vcpus: live.vcpusMax,
      memoryBytes: Math.max(live.memoryMaxBytes, live.memoryBytes),
      translationCacheBytes,
    }),
  });
}

export function volumeAmounts({ sizeBytes }: ObservedVolume): Amounts {
  return amounts({ storageBytes: sizeBytes });
}

/** Nothing is ever written to it, so that it takes what its file has. */
export function imageAmounts({ fileBytes }: ObservedImage): Amounts {
  return amounts({ storageBytes: fileBytes });
}

/** All that may come in, from the start. */
export function intakeAmounts({ heldBytes }: ObservedIntake): Amounts {
  return amounts({ storageBytes: heldBytes });
}

/** As large as it may become, and both of it while it is reworked. */
export function imageDiskAmounts({ heldBytes }: ObservedImageDisk): Amounts {
  return amounts({ storageBytes: heldBytes });
}

export function seedAmounts({ sizeBytes }: Pick<Seed, 'sizeBytes'>): Amounts {
  return amounts({ storageBytes: sizeBytes });
}

function isOurs({ owner }: { readonly owner: PartitionOwner | null }, us: PartitionOwner): boolean {
  return samePartition(owner, us);
}

function unknownOf(observed: Observed): Allocation['unknown'] {
  const { domains, volumes, intakes, images, seeds } = observed;
  const guests =
    observed.unlisted ??
    unreadIn('Secondary', domains) ??
    unreadIn('Primary', new Map([[observed.partition, observed.primary]]));
  const storage =
    observed.unlistedVolumes ??
    observed.unlistedImages ??
    observed.unlistedIntakes ??
    observed.unlistedSeeds ??
    unreadIn('Volume', volumes) ??
    unreadIn('Image', images) ??
    unreadIn('The intake of Image', intakes) ??
    unreadIn('seed', seeds) ??
    unreadIn('The image disk of', new Map([[observed.partition, observed.imageDisk]]));
  return { vcpus: guests, memoryBytes: guests, secondaries: guests, storageBytes: storage };
}

function unreadIn(what: string, all: ReadonlyMap<string, Observation<unknown>>): string | null {
  for (const [name, seen] of all) {
    if (seen.status === 'unknown') return `${what} ${name} could not be read: ${seen.why}`;
  }
  return null;
}
