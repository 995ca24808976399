/**
 * What must hold when something goes wrong: at any call to the host, reads included, before it is
 * sent, half way, or when its reply is on the way back. Always afterwards: another pass by a new
 * process, on the world as it was left, comes to the world that there would have been without.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Report, succeeded } from '../../src/execute/outcome.ts';
import { isRefusal } from '../../src/execute/observe-domain.ts';
import { type VirtualClock, virtualClock } from '../../src/host/simulated/clock.ts';
import type { Call, Fault, FaultRule } from '../../src/host/simulated/faults.ts';
import type { World } from '../../src/host/simulated/world.ts';
import { volumesOf } from '../../src/diff/volume.ts';
import { fieldsOf } from '../../src/model/domain.ts';
import { domainName } from '../../src/model/identity.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import { type DesiredState, RUN_POLICIES, usesOf } from '../../src/model/secondary.ts';
import { applyPass, converge, desired, partition, planPass, secondary } from '../support/passes.ts';
import { domainOf, onCallNumber, type TestHost, testHost, worldOf } from '../support/simulation.ts';
import { anyBooted } from './any-booted.ts';
import {
  anyDesired,
  anyFault,
  anyTempers,
  anyWorld,
  foreignOf,
  ownersOf,
  runs,
  soakMs,
  summary,
  type Tempers,
  temperIn,
} from './arbitraries.ts';

interface Case {
  readonly wanted: DesiredState;
  readonly world: World;
  readonly tempers: Tempers;
  /** How long nobody is there between a failure and the next pass. */
  readonly pauseMs: number;
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    about: fc.oneof(
      { weight: 5, arbitrary: fc.tuple(anyDesired, anyWorld) },
      { weight: 1, arbitrary: anyBooted },
    ),
    tempers: anyTempers,
    pauseMs: fc.constantFrom(0, 10, 2000, 60_000),
  })
  .map(({ about: [wanted, world], ...given }) => ({
    ...given,
    wanted: withoutChance({ wanted, world }),
    world,
  }));

/**
 * What a guest may write to is copied if there is a moment at which none runs: whether somebody looks in
 * that moment is chance, and no two runs need come to the same. Of all others they do.
 */
function withoutChance({ wanted, world }: Pick<Case, 'wanted' | 'world'>): DesiredState {
  const fields = [...world.domains.values()].flatMap(({ definition, guest }) => [
    definition.fields,
    ...(guest === null ? [] : [guest.fields]),
  ]);
  const used = new Set<string>([
    ...fields.flatMap(volumesOf),
    ...[...wanted.secondaries.values()].flatMap(usesOf).map(({ volume }) => volume),
  ]);
  const volumes = [...wanted.volumes.values()].map((volume) =>
    volume.copyOf !== null && used.has(volume.copyOf) ? { ...volume, copyOf: null } : volume,
  );
  return { ...wanted, volumes: new Map(volumes.map((volume) => [volume.name, volume])) };
}

/** The stories that chance tells too seldom: a guest is restarted, halted or deleted. */
const stories: readonly Case[] = [
  ...RUN_POLICIES.map((runPolicy) => secondary('a', { runPolicy, updatePolicy: 'Restart' })),
  null,
].map((wanted) => {
  const running = { ...fieldsOf(wanted ?? secondary('a')), vcpus: 2, vcpusMax: 2 };
  const domain = domainOf('a', { power: { status: 'running' }, defined: running });
  return {
    wanted: wanted === null ? desired() : desired(wanted),
    world: worldOf({ recorded: true, domains: [domain] }),
    tempers: new Map(),
    pauseMs: 2000,
  };
});

/** The same world again for every try, each on a clock of its own. */
function hostOf(
  { tempers }: Case,
  world: World,
  clock: VirtualClock,
  ...rules: FaultRule[]
): TestHost {
  return testHost(world, { clock, rules, temperOf: temperIn(tempers) });
}

interface Undisturbed {
  readonly summary: unknown;
  readonly calls: number;
}

async function undisturbed(given: Case): Promise<Undisturbed> {
  const host = hostOf(given, structuredClone(given.world), virtualClock());
  await converge(host, given.wanted);
  return { summary: summary(host.world), calls: host.faults.calls.length };
}

interface Repaired {
  /** Of the pass in which something went wrong. */
  readonly report: Report;
  readonly summary: unknown;
}

/** One pass in which something goes wrong, a pause, and one in which nothing does. */
async function passAndRepair(given: Case, rule: FaultRule, abort?: AbortSignal): Promise<Repaired> {
  const world = structuredClone(given.world);
  const clock = virtualClock();
  const spoilt = hostOf(given, world, clock, rule);
  const report = await applyPass(spoilt, given.wanted, abort === undefined ? {} : { abort });
  checkAlways(given, world);
  clock.advance(given.pauseMs);
  const repairing = hostOf(given, world, clock);
  const { outcomes } = await converge(repairing, given.wanted);
  expect(outcomes.filter(({ result }) => !succeeded(result))).toEqual([]);
  checkAlways(given, world);
  const after = await planPass(hostOf(given, world, clock), given.wanted, true);
  expect(after.operations).toEqual([]);
  return { report, summary: summary(world) };
}

/** Whatever happens: nothing foreign is touched, and nothing is made twice. */
function checkAlways({ world: before }: Case, after: World): void {
  expect(foreignOf(after)).toEqual(foreignOf(before));
  const owners = ownersOf(after);
  expect(new Set(owners).size).toBe(owners.length);
}

const crash = (when: 'before' | 'after'): Fault => ({ kind: 'crash', when });

describe('a crash', () => {
  test(
    'before and after every single call of a pass',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, async (given) => {
          const { calls, summary: wanted } = await undisturbed(given);
          for (let index = 0; index < calls; index += 1) {
            for (const when of ['before', 'after'] as const) {
              const rule = onCallNumber(index, crash(when));
              expect((await passAndRepair(given, rule)).summary).toEqual(wanted);
            }
          }
        }),
        { ...runs(8), examples: stories.map((story): [Case] => [story]) },
      );
    },
    soakMs,
  );

  test(
    'at any call, of passes of any kind',
    async () => {
      const anyCrash = fc.record({
        at: fc.nat(200),
        when: fc.constantFrom('before' as const, 'after' as const),
      });
      await fc.assert(
        fc.asyncProperty(anyCase, anyCrash, async (given, { at, when }) => {
          const repaired = await passAndRepair(given, onCallNumber(at, crash(when)));
          expect(repaired.summary).toEqual((await undisturbed(given)).summary);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'again and again, each time somewhere else',
    async () => {
      const anyCrashes = fc.array(fc.tuple(fc.nat(60), fc.boolean()), { maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(anyCase, anyCrashes, async (given, crashes) => {
          const world = structuredClone(given.world);
          const clock = virtualClock();
          for (const [at, before] of crashes) {
            const rule = onCallNumber(at, crash(before ? 'before' : 'after'));
            await applyPass(hostOf(given, world, clock, rule), given.wanted);
            clock.advance(given.pauseMs);
          }
          await converge(hostOf(given, world, clock), given.wanted);
          checkAlways(given, world);
          expect(summary(world)).toEqual((await undisturbed(given)).summary);
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'while several operations are under way',
    async () => {
      const anyAt = fc.tuple(fc.nat(100), fc.boolean(), fc.array(fc.nat(50), { minLength: 1 }));
      await fc.assert(
        fc.asyncProperty(anyCase, anyAt, async (given, [at, before, latencies]) => {
          const world = structuredClone(given.world);
          const clock = virtualClock();
          const host = testHost(world, {
            clock,
            temperOf: temperIn(given.tempers),
            rules: [onCallNumber(at, crash(before ? 'before' : 'after'))],
            latency: ({ index }) =>
              clock.sleep(latencies[index % latencies.length] ?? 0, new AbortController().signal),
          });
          await applyPass(host, given.wanted, { inFlightMax: 4 });
          clock.advance(given.pauseMs);
          await converge(hostOf(given, world, clock), given.wanted);
          checkAlways(given, world);
          expect(summary(world)).toEqual((await undisturbed(given)).summary);
        }),
        runs(100),
      );
    },
    soakMs,
  );
});

describe('an error, a lost reply, half an effect', () => {
  test(
    'at any call: the report says so, and another pass repairs it',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, fc.nat(100), anyFault, async (given, at, fault) => {
          const hits: Call[] = [];
          const rule: FaultRule = (call) => {
            if (call.index !== at) return null;
            hits.push(call);
            return fault;
          };
          // What was left half done takes a while to be over.
          const patient = { ...given, pauseMs: given.pauseMs + 2000 };
          const { report, summary: found } = await passAndRepair(patient, rule);
          expect(found).toEqual((await undisturbed(given)).summary);
          const [hit] = hits;
          // Of what observation could not see the plan speaks, and not the report.
          if (hit === undefined || at < (await callsOfPlan(given))) return;
          if (isForgiven(hit, fault)) return;
          const failed = report.outcomes.filter(({ result }) => result.status === 'failed');
          expect(failed).toHaveLength(1);
          expect(failed[0]?.result).not.toMatchObject({ failure: { code: 'Bug' } });
        }),
        runs(100),
      );
    },
    soakMs,
  );

  test(
    'everywhere: nothing is done that nobody knows of',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, fc.array(fc.option(anyFault)), async (given, faults) => {
          const world = structuredClone(given.world);
          const clock = virtualClock();
          const rule: FaultRule = ({ index }) => faults[index] ?? null;
          await applyPass(hostOf(given, world, clock, rule), given.wanted);
          checkAlways(given, world);
          clock.advance(given.pauseMs + 2000);
          await converge(hostOf(given, world, clock), given.wanted);
          checkAlways(given, world);
          expect(summary(world)).toEqual((await undisturbed(given)).summary);
        }),
        runs(100),
      );
    },
    soakMs,
  );
});

/** The button is only tried: whoever does not hear it is powered off in the end. So is the agent. */
function isForgiven({ name }: Call, fault: Fault): boolean {
  if (name === 'shutdownByAgent') {
    // Where there is no agent, the whole of which half is done, or the reply is lost, is a refusal.
    return fault.kind !== 'error' || isRefusal(fault.error);
  }
  if (name !== 'shutdown' && name !== 'resume') return false;
  return fault.kind === 'error' && isRefusal(fault.error);
}

test(
  'a call that is never answered ends with the pass that made it',
  async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, fc.nat(100), async (given, at) => {
        const abort = new AbortController();
        let hung = false;
        const onHang = () => {
          hung = true;
          abort.abort();
        };
        const observing = (await callsOfPlan(given)) > at;
        // What observation does about it, its own signal decides; here it has none.
        if (observing) return;
        const rule = onCallNumber(at, { kind: 'hang', onHang });
        const { report, summary: found } = await passAndRepair(given, rule, abort.signal);
        expect(found).toEqual((await undisturbed(given)).summary);
        if (!hung) return;
        const failed = report.outcomes.find(({ result }) => result.status === 'failed');
        expect(failed).toBeDefined();
      }),
      runs(100),
    );
  },
  soakMs,
);

async function callsOfPlan(given: Case): Promise<number> {
  const host = hostOf(given, structuredClone(given.world), virtualClock());
  await planPass(host, given.wanted, true);
  return host.faults.calls.length;
}

describe('documents that change before the damage is repaired', () => {
  test(
    'what they want comes about all the same',
    async () => {
      const anyCrash = fc.record({
        at: fc.nat(60),
        when: fc.constantFrom('before' as const, 'after' as const),
      });
      await fc.assert(
        fc.asyncProperty(anyCase, anyDesired, anyCrash, async (given, wanted, { at, when }) => {
          const world = structuredClone(given.world);
          const clock = virtualClock();
          const rule = onCallNumber(at, crash(when));
          await applyPass(hostOf(given, world, clock, rule), given.wanted);
          // Whoever has heard the button is down by now; CONTRIBUTING says what happens before.
          clock.advance(60_000);
          await converge(hostOf(given, world, clock), wanted);
          checkAlways(given, world);
          const after = await planPass(hostOf(given, world, clock), wanted, true);
          // What is blocked waits for a person, and says so.
          const blocked = after.entries.flatMap(({ kind, resource }) =>
            kind === 'blocked' ? [domainName(partition, resource.name as SecondaryName)] : [],
          );
          const unexpected = down(wanted, world, given.world).filter(
            (name) => !blocked.includes(name),
          );
          expect(unexpected).toEqual([]);
          expect(after.operations).toEqual([]);
        }),
        runs(100),
      );
    },
    soakMs,
  );
});

/** What should run and does not, of what had not finished by itself before anybody did anything. */
function down({ secondaries }: DesiredState, world: World, before: World): readonly string[] {
  return [...world.domains.values()].flatMap(({ domainName, uuid, guest, definition }) => {
    const wanted = [...secondaries.values()].find(
      ({ name }) => name === definition.owner?.secondary,
    );
    if (wanted === undefined || guest !== null) return [];
    // What it is to wait for may never come, which the plan says.
    if (wanted.startAfter.length > 0) return [];
    const finished = before.domains.get(uuid)?.stopReason === 'guest-shutdown';
    const reruns = wanted.runPolicy === 'RerunOnFailure' && !finished;
    return wanted.runPolicy === 'Always' || reruns ? [domainName] : [];
  });
}
