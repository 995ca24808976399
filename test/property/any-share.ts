/** Any limits, and what a world has of what they count: told from the world, and not by what is tested. */
import fc from 'fast-check';
import type { World } from '../../src/host/simulated/world.ts';
import { type PartitionOwner, samePartition } from '../../src/model/identity.ts';
import type { Share } from '../../src/model/share.ts';
import { AMOUNT_NAMES, type Amounts } from '../../src/partition/amounts.ts';
import { machineBytes } from '../../src/partition/overhead.ts';
import { installation, partition } from '../support/passes.ts';

const MiB = 2 ** 20;

/** Tight: of five Secondaries some have room, and most Volumes. */
export const anyShare: fc.Arbitrary<Share> = fc.record({
  limits: fc.record({
    vcpus: fc.integer({ min: 1, max: 9 }),
    memoryBytes: fc.integer({ min: 1, max: 12 }).map((count) => count * 128 * MiB),
    storageBytes: fc.integer({ min: 1, max: 9 }).map((count) => count * MiB),
    secondaries: fc.integer({ min: 0, max: 5 }),
    networkBytesPerSecond: fc.constant(null),
    diskBytesPerSecond: fc.constant(null),
    diskOperationsPerSecond: fc.constant(null),
  }),
  enforcement: fc.constant('Admission'),
});

export function worldAmounts({ domains, volumes, images }: World): Amounts {
  const ours = [...domains.values()].filter(({ definition }) => isOurs(definition));
  const guests = ours.flatMap(({ guest }) => guest?.fields ?? []);
  const kept = [...(volumes.get(partition)?.values() ?? [])].filter(isOurs);
  const imported = [...(images.get(partition)?.values() ?? [])].filter(isOurs);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    vcpus: sum(guests.map(({ vcpusMax }) => vcpusMax)),
    memoryBytes: sum(
      guests.map(({ vcpusMax, memoryBytes, memoryMaxBytes }) =>
        machineBytes({
          vcpus: vcpusMax,
          memoryBytes: Math.max(memoryBytes, memoryMaxBytes),
          translationCacheBytes: 0,
        }),
      ),
    ),
    storageBytes: sum([
      ...kept.map(({ sizeBytes }) => sizeBytes),
      ...imported.map(({ fileBytes }) => fileBytes),
    ]),
    secondaries: ours.length,
  };
}

function isOurs({ owner }: { readonly owner: PartitionOwner | null }): boolean {
  return owner !== null && samePartition(owner, { installation, partition });
}

/** What has grown beyond its limit: what was beyond it before may stay, and not grow. */
export function exceeding({ limits }: Share, before: Amounts, now: Amounts): readonly string[] {
  return AMOUNT_NAMES.filter((name) => now[name] > limits[name] && now[name] > before[name]).map(
    (name) => `${name}: ${before[name]} -> ${now[name]}, and the limit is ${limits[name]}`,
  );
}
