/**
 * Invariant 1: the partition's allocation is within its limits after every single operation, whatever
 * fails on the way, however much is under way at once, and wherever our process ends.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planJson } from '../../src/cli/render/plan-json.ts';
import type { FaultRule } from '../../src/host/simulated/faults.ts';
import type { World } from '../../src/host/simulated/world.ts';
import type { DesiredState } from '../../src/model/secondary.ts';
import type { Share } from '../../src/model/share.ts';
import {
  AMOUNT_NAMES,
  type Amounts,
  amounts,
  lacking,
  minus,
  plus,
} from '../../src/partition/amounts.ts';
import { machineBytes } from '../../src/model/overhead.ts';
import { applyPass, desiredWith, planPass } from '../support/passes.ts';
import { onCallNumber, type TestHost, testHost } from '../support/simulation.ts';
import { anyPrimary, anyShare, exceeding, primaryName, worldAmounts } from './any-share.ts';
import {
  anyDesired,
  anyFault,
  anyTempers,
  anyWorld,
  runs,
  soakMs,
  type Tempers,
  temperIn,
} from './arbitraries.ts';

interface Case {
  readonly wanted: DesiredState;
  readonly share: Share;
  readonly world: World;
  readonly tempers: Tempers;
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    desired: anyDesired,
    share: anyShare,
    world: anyWorld,
    tempers: anyTempers,
    primary: anyPrimary,
  })
  .map(({ desired, world, primary: { wanted, there }, ...parts }) => ({
    ...parts,
    world: { ...world, primaries: new Map(there === null ? [] : [[primaryName, there]]) },
    wanted: { ...desired, share: parts.share, primary: wanted },
  }));

/** A host that looks at every call, before it is carried out, what the world has grown to. */
function watchedHost({ share, tempers }: Case, world: World, ...rules: FaultRule[]) {
  const found: string[] = [];
  // Whoever restarts where too much is allocated already has no more than before.
  const before: Amounts = worldAmounts(world);
  const look = () => void found.push(...exceeding(share, before, worldAmounts(world)));
  const watch: FaultRule = () => {
    look();
    return null;
  };
  const host: TestHost = testHost(world, {
    rules: [watch, ...rules],
    temperOf: temperIn(tempers),
  });
  return { host, look, found };
}

const crashes = fc.record({
  at: fc.nat(60),
  fault: fc.oneof(
    anyFault,
    fc.constantFrom(
      { kind: 'crash', when: 'before' } as const,
      {
        kind: 'crash',
        when: 'after',
      } as const,
    ),
  ),
});

/** What is reserved for a Primary that is not there is nobody's. */
function reservedToo(has: Amounts, { wanted: { primary } }: Case, { primaries }: World): Amounts {
  if (primary === null || primary === 'unspoken' || primaries.size > 0) return has;
  return plus(has, amounts(primary.reserved));
}

/** What a Secondary that is not there would take; null: it is none. */
function askedBy(name: string, { secondaries }: DesiredState): Amounts | null {
  const wanted = [...secondaries.values()].find((each) => each.name === name);
  if (wanted === undefined) return null;
  const { vcpus, memoryBytes, runPolicy } = wanted;
  if (runPolicy === 'Manual' || runPolicy === 'Halted') return amounts({ secondaries: 1 });
  const bytes = machineBytes({ vcpus, memoryBytes, translationCacheBytes: 0 });
  return amounts({ secondaries: 1, vcpus, memoryBytes: bytes });
}

describe('the limits of a partition', () => {
  test(
    'hold after every call of every pass, whatever fails',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          anyCase,
          fc.array(crashes, { maxLength: 3 }),
          fc.constantFrom(1, 4),
          async (given, faults, inFlightMax) => {
            const world = structuredClone(given.world);
            for (const each of [...faults, null, null]) {
              const rules = each === null ? [] : [onCallNumber(each.at, each.fault)];
              const { host, look, found } = watchedHost(given, world, ...rules);
              await applyPass(host, given.wanted, { inFlightMax }).catch(() => undefined);
              look();
              expect(found).toEqual([]);
            }
          },
        ),
        runs(150),
      );
    },
    soakMs,
  );

  test(
    'come to rest: what fits is there, and what is refused does not fit',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async (given) => {
          const world = structuredClone(given.world);
          // One that never gives anything is asked again in every pass.
          for (const primary of world.primaries.values()) primary.releasesAfterMs ??= 2000;
          const host = testHost(world, { temperOf: temperIn(given.tempers) });
          for (let pass = 0; pass < 6; pass += 1) await applyPass(host, given.wanted);
          const plan = await planPass(host, given.wanted, true);
          expect(plan.operations).toEqual([]);
          const free = minus(given.share.limits, reservedToo(worldAmounts(world), given, world));
          for (const entry of plan.entries) {
            if (entry.kind !== 'blocked' || entry.block.code !== 'OverBudget') continue;
            const asked = askedBy(entry.resource.name, given.wanted);
            const isThere = [...world.domains.values()].some(({ domainName }) =>
              domainName.endsWith(`.${entry.resource.name}`),
            );
            if (asked === null || isThere) continue;
            expect([entry.block.message, lacking(asked, free)]).not.toEqual([
              entry.block.message,
              [],
            ]);
          }
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'that are wide are as good as none',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const limits = Object.fromEntries(AMOUNT_NAMES.map((name) => [name, 2 ** 50]));
          const share = { limits, enforcement: 'Admission' } as unknown as Share;
          const plans = await Promise.all(
            [wanted, { ...wanted, share }].map((each) =>
              planPass(testHost(structuredClone(world)), each, true),
            ),
          );
          const [without, within] = plans.map((plan) => JSON.stringify(planJson(plan)));
          expect(within).toBe(without);
        }),
        runs(50),
      );
    },
    soakMs,
  );

  test(
    'make the same plan in whichever order the documents come',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async ({ wanted, world }) => {
          const reversed = desiredWith({
            secondaries: [...wanted.secondaries.values()].toReversed(),
            volumes: [...wanted.volumes.values()].toReversed(),
            images: [...wanted.images.values()].toReversed(),
            network: wanted.network,
            share: wanted.share,
            primary: wanted.primary,
          });
          const plans = await Promise.all(
            [wanted, reversed].map((each) =>
              planPass(testHost(structuredClone(world)), each, true),
            ),
          );
          const [one, other] = plans.map((plan) => JSON.stringify(planJson(plan)));
          expect(one).toBe(other);
        }),
        runs(50),
      );
    },
    soakMs,
  );
});
