/**
 * What must hold for any documents and any host. The host is in memory; crashes are exceptions at
 * a write, before or after it has taken effect, with everything in flight lost.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planJson } from '../../src/cli/render/plan-json.ts';
import { type DomainFields, fieldsOf, type Power } from '../../src/model/domain.ts';
import { domainName, type DomainUuid, secondaryUuid } from '../../src/model/identity.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import {
  type DesiredState,
  RUN_POLICIES,
  type Secondary,
  UPDATE_POLICIES,
} from '../../src/model/secondary.ts';
import { type MemoryDomain, memoryHost, type World } from '../support/memory-host.ts';
import {
  applyPass,
  desired,
  installation,
  partition,
  planPass,
  secondary,
} from '../support/passes.ts';

const MiB = 2 ** 20;
const names = ['a', 'b', 'c', 'd', 'e'];

const anySecondary = (name: string): fc.Arbitrary<Secondary> =>
  fc
    .record({
      vcpus: fc.integer({ min: 1, max: 3 }),
      memoryBytes: fc.constantFrom(64 * MiB, 128 * MiB, 256 * MiB),
      boot: fc.constantFrom<Secondary['boot']>(secondary('x').boot, {
        kind: 'disk',
        file: 'root.img',
        format: 'raw',
      } as Secondary['boot']),
      serialConsole: fc.boolean(),
      runPolicy: fc.constantFrom(...RUN_POLICIES),
      updatePolicy: fc.constantFrom(...UPDATE_POLICIES),
    })
    .map((overrides) => secondary(name, overrides));

const anyDesired: fc.Arbitrary<DesiredState> = fc
  .subarray(names)
  .chain((chosen) => fc.tuple(...chosen.map(anySecondary)))
  .map((secondaries) => desired(...secondaries));

const anyPower: fc.Arbitrary<Power> = fc.oneof(
  fc.constant<Power>({ status: 'running' }),
  fc.constant<Power>({ status: 'paused' }),
  fc
    .constantFrom('guest-shutdown', 'powered-off', 'crashed', 'failed', 'unknown')
    .map((reason): Power => ({ status: 'stopped', reason: reason as never })),
);

const anyFields = (name: string) => anySecondary(name).map((each): DomainFields => fieldsOf(each));

const anyDomain = (name: string): fc.Arbitrary<MemoryDomain> =>
  fc
    .record({
      power: anyPower,
      persistent: fc.boolean(),
      foreign: fc.boolean(),
      stopAsked: fc.boolean(),
      lastApplied: fc.option(anyFields(name)),
      defined: anyFields(name),
      live: anyFields(name),
    })
    .map(({ power, persistent, foreign, stopAsked, lastApplied, defined, live }) => {
      const owner = { installation, partition, secondary: name as SecondaryName };
      const running = power.status !== 'stopped';
      return {
        uuid: foreign
          ? (`00000000-0000-4000-8000-00000000000${names.indexOf(name)}` as DomainUuid)
          : secondaryUuid(owner),
        domainName: domainName(partition, owner.secondary),
        owner: foreign ? null : owner,
        power,
        // A transient domain exists only while it runs.
        persistent: persistent || !running,
        defined: persistent || !running ? defined : live,
        live: running ? live : null,
        lastApplied,
        stopAsked,
        revision: 1,
      };
    });

const anyWorld: fc.Arbitrary<World> = fc
  .subarray(names)
  .chain((chosen) => fc.tuple(...chosen.map(anyDomain)))
  .map((domains) => ({
    installation,
    files: new Set(['vmlinuz', 'root.img']),
    domains: new Map(domains.map((domain) => [domain.uuid, domain])),
  }));

const isForeign = ({ owner }: MemoryDomain) => owner === null;
const foreignOf = (world: World) => [...world.domains.values()].filter(isForeign);

describe('for any documents and any host', () => {
  test('apply, then plan: nothing to do, and nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
        const host = memoryHost(structuredClone(world));
        await applyPass(host, wanted);
        const writes = host.writes.length;
        expect((await planPass(host, wanted, true)).operations).toEqual([]);
        await applyPass(host, wanted);
        expect(host.writes).toHaveLength(writes);
      }),
    );
  });

  test('planning writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
        const host = memoryHost(structuredClone(world));
        await planPass(host, wanted, true);
        expect(host.writes).toEqual([]);
        expect(host.world).toEqual(world);
      }),
    );
  });

  test('what is foreign stays as it was', async () => {
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
        const host = memoryHost(structuredClone(world));
        await applyPass(host, wanted);
        expect(foreignOf(host.world)).toEqual(foreignOf(world));
      }),
    );
  });

  test('a crash at any write, then another pass: as if there had been none', async () => {
    const anyCrash = fc.record({ at: fc.nat(12), after: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, anyCrash, async (wanted, world, crash) => {
        const undisturbed = memoryHost(structuredClone(world));
        await applyPass(undisturbed, wanted);
        const crashed = memoryHost(structuredClone(world));
        await crashDuring(crashed, crash, wanted);
        const survivor = memoryHost(crashed.world);
        await applyPass(survivor, wanted);
        expect(summary(survivor.world)).toEqual(summary(undisturbed.world));
        expect((await planPass(survivor, wanted, true)).operations).toEqual([]);
      }),
    );
  });

  test('from what cannot be read nothing follows', async () => {
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, fc.subarray(names), async (wanted, world, dark) => {
        const host = memoryHost(structuredClone(world));
        for (const name of dark) host.unreadable.add(domainName(partition, name as SecondaryName));
        const plan = await planPass(host, wanted, true);
        const there = new Set([...world.domains.values()].map((domain) => domain.domainName));
        for (const operation of plan.operations) {
          const name = operation.secondary;
          if (name === null || !dark.includes(name)) continue;
          expect(there.has(domainName(partition, name))).toBe(false);
        }
      }),
    );
  });

  test('the order of the documents does not matter, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, async (wanted, world) => {
        const reversed = desired(...[...wanted.secondaries.values()].toReversed());
        const plans = await Promise.all(
          [wanted, reversed].map((each) => planPass(memoryHost(world), each, true)),
        );
        const [one, other] = plans.map((plan) => JSON.stringify(planJson(plan)));
        expect(one).toBe(other);
      }),
    );
  });
});

interface Crash {
  readonly at: number;
  readonly after: boolean;
}

/** The process dies at one write: no later call of it reaches the host. */
async function crashDuring(
  host: ReturnType<typeof memoryHost>,
  { at, after }: Crash,
  wanted: DesiredState,
): Promise<void> {
  let count = 0;
  const domains = host.domains as unknown as Record<string, (...args: unknown[]) => Promise<void>>;
  for (const name of [
    'define',
    'undefine',
    'start',
    'resume',
    'shutdown',
    'powerOff',
    'setMemory',
    'noteStop',
  ]) {
    const original = domains[name];
    domains[name] = async (...args) => {
      count += 1;
      if (count > at + 1 || (count === at + 1 && !after)) throw new Error('crashed before');
      await original?.(...args);
      if (count === at + 1) throw new Error('crashed after');
    };
  }
  await applyPass(host, wanted);
}

/** What matters of a world: not how often a definition was written on the way. */
function summary(world: World): unknown {
  return [...world.domains.values()]
    .map(({ revision: _revision, ...domain }) => domain)
    .sort((a, b) => a.uuid.localeCompare(b.uuid));
}
