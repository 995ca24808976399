/**
 * What must hold for any documents, any host and any guests, as long as nothing goes wrong on the
 * way. What must hold when it does is in `faults.test.ts`.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootedWith } from '../../src/diff/boot-images.ts';
import { planJson } from '../../src/cli/render/plan-json.ts';
import type { SimulatedImage, World } from '../../src/host/simulated/world.ts';
import { succeeded } from '../../src/execute/outcome.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import { isWithin } from '../../src/model/network.ts';
import { filterTable, tapName } from '../../src/model/identity.ts';
import {
  applyPass,
  converge,
  desiredWith,
  installation,
  partition,
  planPass,
} from '../support/passes.ts';
import { filterFor, networkRef, refOf, testHost, unreadable } from '../support/simulation.ts';
import { anyBooted } from './any-booted.ts';
import {
  anyDesired,
  anyTempers,
  anyWorld,
  foreignOf,
  names,
  ownersOf,
  runs,
  soakMs,
  summary,
  temperIn,
} from './arbitraries.ts';

const copy = (world: World) => structuredClone(world);

describe('for any documents and any host', () => {
  test(
    'apply, then plan: nothing to do, and nothing is written',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, anyTempers, async (wanted, world, tempers) => {
          const host = testHost(copy(world), { temperOf: temperIn(tempers) });
          const report = await converge(host, wanted);
          expect(report.outcomes.filter(({ result }) => !succeeded(result))).toEqual([]);
          const writes = host.writes.length;
          expect((await planPass(host, wanted, true)).operations).toEqual([]);
          await applyPass(host, wanted);
          expect(host.writes).toHaveLength(writes);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'several operations at once come to the same as one after the other',
    async () => {
      const anyLatencies = fc.array(fc.nat(50), { minLength: 1 });
      const anyCase = fc.tuple(anyDesired, anyWorld, anyTempers, anyLatencies);
      await fc.assert(
        fc.asyncProperty(anyCase, async ([wanted, world, tempers, latencies]) => {
          const options = { temperOf: temperIn(tempers) };
          const slow = testHost(copy(world), {
            ...options,
            latency: ({ index }) =>
              slow.clock.sleep(
                latencies[index % latencies.length] ?? 0,
                new AbortController().signal,
              ),
          });
          const straight = testHost(copy(world), options);
          await converge(straight, wanted);
          const { outcomes } = await converge(slow, wanted, { inFlightMax: 4 });
          expect(outcomes.filter(({ result }) => !succeeded(result))).toEqual([]);
          expect(summary(slow.world)).toEqual(summary(straight.world));
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'planning writes nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const host = testHost(copy(world));
          await planPass(host, wanted, true);
          expect(host.writes).toEqual([]);
          expect(host.world).toEqual(world);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'what is foreign stays as it was, and nothing is there twice',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const host = testHost(copy(world));
          await applyPass(host, wanted);
          expect(foreignOf(host.world)).toEqual(foreignOf(world));
          const owners = ownersOf(host.world);
          expect(new Set(owners).size).toBe(owners.length);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'data is lost only where no document speaks of it and its policy said so',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const host = testHost(copy(world));
          await converge(host, wanted);
          const after = host.world.volumes.get(partition);
          for (const [name, { owner, state, ...before }] of world.volumes.get(partition) ?? []) {
            const forsaken = !wanted.volumes.has(name) && before.deletionPolicy === 'Delete';
            if (owner !== null && (state !== 'ready' || forsaken)) continue;
            const { format, origin } = before;
            expect(after?.get(name)).toMatchObject({ owner, state, format, origin });
            expect(after?.get(name)?.sizeBytes).toBeGreaterThanOrEqual(before.sizeBytes);
          }
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'whoever starts on the network is filtered, and in the end all who have an address are',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const host = testHost(copy(world));
          const unfiltered: string[] = [];
          host.rules.push(({ name, subjects: [subject = ''] }) => {
            const starts = [...host.world.domains.values()].find(
              ({ domainName }) => name === 'start' && domainName === subject,
            );
            const { owner, fields } = starts?.definition ?? { owner: null, fields: null };
            if (owner === null || fields?.network !== 'Partition') return null;
            if (!tapsIn(host.world).includes(tapName(owner))) unfiltered.push(subject);
            return null;
          });
          await converge(host, wanted);
          expect(unfiltered).toEqual([]);
          const network = host.world.networks.get(networkRef.uuid);
          // In the place of ours there may be somebody else's.
          const sides = [...host.world.networks.values()].map(
            (each) => each.definition ?? each.live,
          );
          if (sides.some((side) => side?.owner === null)) return;
          const there = network === undefined ? { ports: [] } : filterFor(network);
          // Where somebody has changed the network, and no document says how it is to be.
          if (there === null) return;
          expect(tapsIn(host.world)).toEqual(there.ports.map(({ tap }) => tap).sort());
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'the bytes that a guest was booted with stay as they are for as long as it runs, or is saved',
    async () => {
      const anyCase = fc.oneof(fc.tuple(anyDesired, anyWorld), anyBooted);
      const seen = { booted: 0, restored: 0 };
      await fc.assert(
        fc.asyncProperty(anyCase, anyTempers, async ([wanted, world], tempers) => {
          const host = testHost(copy(world), { temperOf: temperIn(tempers) });
          const lost: string[] = [];
          let before = bootedIn(host.world);
          host.rules.push(() => {
            const now = bootedIn(host.world);
            for (const [run, bytes] of before) {
              const restored = run.endsWith(' saved') && !now.has(run);
              const still = restored ? restoredAs(run, now) : now.get(run);
              // Of one that was deleted nobody has them any more.
              if (still === undefined) continue;
              if (restored) seen.restored += bytes.length;
              lost.push(...bytes.filter((each) => !still.includes(each)));
            }
            before = now;
            seen.booted += [...now.values()].flat().length;
            return null;
          });
          await converge(host, wanted);
          expect(lost).toEqual([]);
        }),
        runs(100),
      );
      expect(seen.booted).toBeGreaterThan(0);
      expect(seen.restored).toBeGreaterThan(0);
    },
    soakMs,
  );

  test(
    'no two have one address, and nobody loses theirs for another',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const host = testHost(copy(world));
          await converge(host, wanted);
          const addresses = addressesIn(host.world);
          expect(new Set(addresses.values()).size).toBe(addresses.size);
          const { cidr } = { cidr: '', ...(wanted.network === 'unspoken' ? {} : wanted.network) };
          for (const [name, address] of addressesIn(world)) {
            const stays = wanted.secondaries.get(name)?.network === 'Partition';
            if (!stays || !isWithin(address, cidr)) continue;
            expect(addresses.get(name)).toBe(address);
          }
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'from what cannot be read nothing follows',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, fc.subarray(names), async (wanted, world, dark) => {
          const host = testHost(copy(world), { rules: [unreadable(...dark)] });
          const plan = await planPass(host, wanted, true);
          const there = new Set([...world.domains.values()].map(({ domainName }) => domainName));
          for (const { resource } of plan.operations) {
            if (resource === null || !dark.some((name) => name === resource.name)) continue;
            expect(there.has(refOf(resource.name).domainName)).toBe(false);
          }
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'the order of the documents does not matter, byte for byte',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
          const reversed = desiredWith({
            secondaries: [...wanted.secondaries.values()].toReversed(),
            volumes: [...wanted.volumes.values()].toReversed(),
            images: [...wanted.images.values()].toReversed(),
            network: wanted.network,
          });
          const plans = await Promise.all(
            [wanted, reversed].map((each) => planPass(testHost(copy(world)), each, true)),
          );
          const [one, other] = plans.map((plan) => JSON.stringify(planJson(plan)));
          expect(one).toBe(other);
        }),
        runs(100),
      );
    },
    soakMs,
  );
});

/** By run of a guest, or its sleep: which bytes its kernel and initial RAM disk are, as far as they are there. */
function bootedIn({ domains, images }: World): ReadonlyMap<string, readonly string[]> {
  const shelf: ReadonlyMap<string, SimulatedImage> = images.get(partition) ?? new Map();
  return new Map(
    [...domains.values()].flatMap(({ domainName, guest, saved, definition }) => {
      if (guest === null && !saved) return [];
      const { fields } = guest ?? definition;
      const there = bootedWith(fields).flatMap((name) => {
        const image = shelf.get(name);
        // What is half made nobody was ever given.
        return image?.state === 'ready' ? [`${domainName}: ${name} ${image.digest}`] : [];
      });
      return [[`${domainName} ${guest === null ? 'saved' : guest.runId}`, there] as const];
    }),
  );
}

/** The run that one goes on in that was saved before. */
function restoredAs(
  sleep: string,
  now: ReturnType<typeof bootedIn>,
): readonly string[] | undefined {
  const [domainName = ''] = sleep.split(' ');
  return [...now].find(([run]) => run.startsWith(`${domainName} `))?.[1];
}

function tapsIn({ filters }: World): readonly string[] {
  const ports = filters.get(filterTable({ installation, partition }))?.ports ?? [];
  return ports.map(({ tap }) => tap).sort();
}

function addressesIn({ networks }: World): ReadonlyMap<SecondaryName, string> {
  const definition = networks.get(networkRef.uuid)?.definition;
  const reservations = [...(definition?.reservations ?? [])];
  return new Map(reservations.map(([name, { address }]) => [name, address]));
}
