/** What must hold of any plan with holds and requests, for any documents, any host and any guests. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Block, PowerRequest } from '../../src/diff/change.ts';
import { usesOf } from '../../src/host/simulated/disk-uses.ts';
import type { SimulatedDomain } from '../../src/host/simulated/world.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import { succeeded } from '../../src/execute/outcome.ts';
import type { Wishes } from '../../src/plan/wishes.ts';
import { partition, planPass, runPlan } from '../support/passes.ts';
import { refOf, testHost } from '../support/simulation.ts';
import { anyDesired, anyTempers, anyWorld, names, runs, soakMs, temperIn } from './arbitraries.ts';

const held: Block = { code: 'Held', message: 'a person says so' };
const looping: Block = { code: 'CrashLoop', message: 'it ends' };

const anyBlocks = (block: Block) =>
  fc.subarray(names).map((chosen) => new Map(chosen.map((name) => [name as SecondaryName, block])));
const anyRequests = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('start', 'stop', 'restart')))
  .map((pairs) => new Map(pairs as [SecondaryName, PowerRequest][]));
const anyWishes: fc.Arbitrary<Omit<Wishes, 'holdAll'>> = fc.record({
  holds: anyBlocks(held),
  startHolds: anyBlocks(looping),
  requests: anyRequests,
  watch: fc.constantFrom('by-unnestd', 'by-nobody'),
});

const anyCase = fc.tuple(anyDesired, anyWorld, anyTempers, anyWishes);

const noDisks = { bootVolume: null, volumes: '' };
const gone = { sizeBytes: null, state: 'gone' };

/** All of it but what time does to a guest: its balloon. */
const stateOf = (domain: SimulatedDomain | undefined) =>
  domain === undefined ? null : structuredClone({ ...domain, guest: domain.guest?.runId ?? null });

describe('for any wishes', () => {
  test(
    'whoever is held is left alone, disks included, and the rest succeeds',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async ([wanted, world, tempers, wishes]) => {
          const host = testHost(structuredClone(world), { temperOf: temperIn(tempers) });
          const domains = [...wishes.holds.keys()].map((name) => refOf(name).uuid);
          const { volumes } = world;
          const look = () =>
            domains.map((uuid) => {
              const domain = host.world.domains.get(uuid);
              const disks = usesOf(domain?.guest?.fields ?? noDisks).map(({ volume }) => volume);
              // No real guest runs with what is not there, or is half made.
              const there = disks.filter(
                (name) => volumes.get(partition)?.get(name)?.state === 'ready',
              );
              const kept = there.map((name) => {
                const { sizeBytes, state } = host.world.volumes.get(partition)?.get(name) ?? gone;
                return { name, sizeBytes, state };
              });
              return [stateOf(domain), kept];
            });
          const before = look();
          const plan = await planPass(host, wanted, true, null, wishes);
          const touched = plan.operations.flatMap(({ resource }) =>
            resource?.kind === 'secondary' ? [resource.name as SecondaryName] : [],
          );
          expect(touched.filter((name) => wishes.holds.has(name))).toEqual([]);
          const { outcomes } = await runPlan(plan, host, { seedContents: wanted.seedContents });
          expect(outcomes.filter(({ result }) => !succeeded(result))).toEqual([]);
          expect(look()).toEqual(before);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'nobody is started whose start is held, nor stopped to be',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async ([wanted, world, , wishes]) => {
          const plan = await planPass(testHost(structuredClone(world)), wanted, true, null, wishes);
          const started = plan.operations.flatMap(({ kind, phase, resource }) =>
            kind === 'domain.start' || phase === 'restart' ? [resource?.name as SecondaryName] : [],
          );
          expect(started.filter((name) => wishes.startHolds.has(name))).toEqual([]);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'nothing is done where all is held, and the same is unchanged as without',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async ([wanted, world, , wishes]) => {
          const host = testHost(structuredClone(world));
          const plan = await planPass(host, wanted, true, null, { ...wishes, holdAll: held });
          expect(plan.operations).toEqual([]);
          const free = await planPass(host, wanted, true, null, wishes);
          const quiet = ({ entries }: typeof plan) =>
            entries.filter(({ kind }) => kind === 'unchanged' || kind === 'kept');
          expect(quiet(plan)).toEqual(quiet(free));
        }),
        runs(100),
      );
    },
    soakMs,
  );
});
