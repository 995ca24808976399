/** Any limits, and what a world has of what they count: told from the world, and not by what is tested. */
import fc from 'fast-check';
import type { SimulatedPrimary, World } from '../../src/host/simulated/world.ts';
import { type PartitionOwner, samePartition } from '../../src/model/identity.ts';
import { nothingGuaranteed, type Share } from '../../src/model/share.ts';
import { CARVINGS, type PrimaryWanted } from '../../src/model/primary.ts';
import { AMOUNT_NAMES, type Amounts, amounts } from '../../src/partition/amounts.ts';
import { primaryAmounts } from '../../src/partition/carving.ts';
import { machineBytes } from '../../src/model/overhead.ts';
import { installation, partition } from '../support/passes.ts';
import { simulatedPrimary } from '../support/simulation.ts';

const MiB = 2 ** 20;

const anyMemory = fc.constantFrom(16 * MiB, 128 * MiB, 300 * MiB);

/** Tight: of five Secondaries some have room, and most Volumes. */
export const anyShare: fc.Arbitrary<Share> = fc.record({
  limits: fc.record({
    vcpus: fc.integer({ min: 1, max: 9 }),
    memoryBytes: fc.integer({ min: 1, max: 12 }).map((count) => count * 128 * MiB),
    storageBytes: fc.integer({ min: 1, max: 9 }).map((count) => count * MiB),
    secondaries: fc.integer({ min: 0, max: 5 }),
    diskBytesPerSecond: fc.constant(null),
    diskOperationsPerSecond: fc.constant(null),
  }),
  guarantees: fc.constant(nothingGuaranteed),
  enforcement: fc.constant('Admission'),
});

export const primaryName = 'primary-a';

/** Half of all partitions have a Primary, of which something is granted; some release nothing. */
export const anyPrimary: fc.Arbitrary<{
  readonly wanted: PrimaryWanted | null;
  readonly there: SimulatedPrimary | null;
}> = fc
  .record({
    none: fc.boolean(),
    gone: fc.nat(9).map((number) => number === 0),
    vcpus: fc.integer({ min: 1, max: 4 }),
    blocks: fc.integer({ min: 0, max: 4 }),
    reserved: fc.record({ vcpus: fc.integer({ min: 1, max: 3 }), memoryBytes: anyMemory }),
    grants: fc.subarray([...CARVINGS]),
    runs: fc.boolean(),
    releasesAfterMs: fc.constantFrom(0, 2000, null),
  })
  .map(({ none, gone, vcpus, blocks, reserved, grants, runs, releasesAfterMs }) => {
    if (none) return { wanted: null, there: null };
    const has = { vcpus, pluggedBytes: blocks * 128 * MiB };
    const there = simulatedPrimary({
      live: runs ? has : null,
      defined: has,
      vcpusMax: 4,
      baseBytes: 128 * MiB,
      releasesAfterMs,
    });
    const wanted = { domainName: primaryName, reserved, grants, imageDiskBytes: null };
    return { wanted, there: gone ? null : there };
  });

export function worldAmounts(world: World): Amounts {
  const { domains, volumes, images, intakes, imageDisks, seeds, primaries } = world;
  const disk = imageDisks.get(partition);
  const primary = primaries.get(primaryName);
  const theirs =
    primary === undefined ? amounts({}) : primaryAmounts({ ...primary, domainName: primaryName });
  const ours = [...domains.values()].filter(({ definition }) => isOurs(definition));
  const guests = ours.flatMap(({ guest }) => guest?.fields ?? []);
  const kept = [...(volumes.get(partition)?.values() ?? [])].filter(isOurs);
  const imported = [...(images.get(partition)?.values() ?? [])].filter(isOurs);
  const takenIn = [...(intakes.get(partition)?.values() ?? [])].filter(isOurs);
  const made = [...(seeds.get(partition)?.values() ?? [])].filter(isOurs);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    vcpus: theirs.vcpus + sum(guests.map(({ vcpusMax }) => vcpusMax)),
    memoryBytes:
      theirs.memoryBytes +
      sum(
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
      ...takenIn.map(({ heldBytes }) => heldBytes),
      ...made.map(({ sizeBytes }) => sizeBytes),
      disk === undefined || !isOurs(disk) ? 0 : disk.heldBytes,
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
