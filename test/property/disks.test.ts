/**
 * One writer: a Volume is given to nobody, and deleted for nobody, before every guest that has it has let go of
 * it, at every prefix of a plan and whatever fails on the way.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { volumesOf } from '../../src/diff/volume.ts';
import type { FaultRule } from '../../src/host/simulated/faults.ts';
import type { World } from '../../src/host/simulated/world.ts';
import { type DomainFields, fieldsOf, type Power } from '../../src/model/domain.ts';
import {
  type Boot,
  type DesiredState,
  RUN_POLICIES,
  UPDATE_POLICIES,
  usesOf,
} from '../../src/model/secondary.ts';
import { useOf, type VolumeUse } from '../../src/model/volume.ts';
import type { Operation, OperationId } from '../../src/plan/operation.ts';
import {
  applyPass,
  desiredWith,
  partition,
  planPass,
  secondary,
  volume,
} from '../support/passes.ts';
import { domainOf, testHost, unreadable, volumeOf, worldOf } from '../support/simulation.ts';
import {
  anyDesired,
  anyFault,
  anyTempers,
  anyWorld,
  runs,
  soakMs,
  temperIn,
} from './arbitraries.ts';

interface Case {
  readonly wanted: DesiredState;
  readonly world: World;
}

const names = ['a', 'b', 'c'];
const volumeNames = ['v0', 'v1', 'v2', 'v3'];

/** Whose each Volume is, by its place in `volumeNames`; the last place among the names is nobody's. */
const anyHolders = fc.tuple(...volumeNames.map(() => fc.nat(names.length)));

/** What one has is what it boots from and its data disks. */
interface Disks {
  readonly boot: Boot;
  readonly disks: readonly VolumeUse[];
}

function disksOf(holders: readonly number[], index: number, boots: boolean): Disks {
  const uses = volumeNames
    .filter((_, at) => holders[at] === index)
    .map((each) => useOf(volume(each)));
  const [first, ...others] = uses;
  const kernel = secondary('x').boot;
  return boots && first !== undefined
    ? { boot: { kind: 'volume', use: first }, disks: others }
    : { boot: kernel, disks: uses };
}

const running = { status: 'running' } as const;
const anyPower = fc.constantFrom<Power>(
  running,
  running,
  running,
  { status: 'paused' },
  { status: 'stopped', reason: 'powered-off' },
);

const anyGuest = fc.record({
  power: anyPower,
  runPolicy: fc.constantFrom('Always' as const, ...RUN_POLICIES),
  updatePolicy: fc.constantFrom(...UPDATE_POLICIES),
  vcpus: fc.constantFrom(1, 1, 2),
  isSaved: fc.boolean(),
  isStaged: fc.boolean(),
  portsFree: fc.nat(3),
  boots: fc.constantFrom(false, false, false, true),
  bootsNow: fc.constantFrom(false, false, false, true),
});
type Guest = typeof anyGuest extends fc.Arbitrary<infer T> ? T : never;

/** Volumes that go round among guests, and are sometimes deleted or made larger. */
const anyMove: fc.Arbitrary<Case> = fc
  .record({
    now: anyHolders,
    next: anyHolders,
    guests: fc.tuple(...names.map(() => anyGuest)),
    isThere: fc.tuple(...volumeNames.map(() => fc.constantFrom(true, true, true, false))),
    sizes: fc.tuple(...volumeNames.map(() => fc.constantFrom(1, 1, 1, 2))),
  })
  .map(({ now, next, guests, isThere, sizes }) => {
    const volumes = volumeNames
      .map((name, at) => volume(name, { sizeBytes: (sizes[at] ?? 1) * 2 ** 30 }))
      // Without a document it goes, as far as nobody is to have it.
      .filter((_, at) => isThere[at] || next[at] !== names.length);
    const secondaries = guests.map(({ boots, runPolicy, updatePolicy, vcpus }, index) => {
      const policies = { runPolicy, updatePolicy, vcpus, stopGraceMs: 1000 };
      return secondary(names[index] ?? '', { ...disksOf(next, index, boots), ...policies });
    });
    const domains = secondaries.map((wanted, index) => {
      const { power, isSaved, isStaged, portsFree, bootsNow } = guests[index] as Guest;
      const live = fieldsOf(secondary(wanted.name, disksOf(now, index, bootsNow)));
      const defined = isStaged ? fieldsOf(wanted) : live;
      const saved = isSaved && power.status === 'stopped';
      return domainOf(wanted.name, { power, defined, live, portsFree, saved });
    });
    const there = volumeNames.map((name) => volumeOf(name, { deletionPolicy: 'Delete' }));
    return {
      wanted: desiredWith({ volumes, secondaries }),
      world: worldOf({ recorded: true, volumes: there, domains }),
    };
  });

const anyCase: fc.Arbitrary<Case> = fc.oneof(
  { weight: 4, arbitrary: anyMove },
  { weight: 1, arbitrary: fc.record({ wanted: anyDesired, world: anyWorld }) },
);

/** By Volume, whose guests run with it; with `saved` also who goes on with it when it is restored. */
function holdersIn(
  world: World,
  among: 'running' | 'saved',
): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, string[]>();
  for (const { definition, guest, saved } of world.domains.values()) {
    const { owner } = definition;
    if (owner === null || (guest === null && !(saved && among === 'saved'))) continue;
    for (const volume of volumesOf(guest?.fields ?? definition.fields)) {
      holders.set(volume, [...(holders.get(volume) ?? []), owner.secondary]);
    }
  }
  return holders;
}

/** The Volumes that it needs nobody else to have. */
function takenBy(operation: Operation, { secondaries }: DesiredState): readonly string[] {
  const name = operation.resource?.name ?? '';
  const { kind } = operation;
  if (kind === 'domain.attach-disk' || kind === 'volume.delete' || kind === 'volume.grow') {
    return [operation.volume];
  }
  const wanted = [...secondaries.values()].find((each) => each.name === name);
  return kind !== 'domain.start' || wanted === undefined
    ? []
    : usesOf(wanted).map(({ volume: each }) => each);
}

/** Whether its guest has nothing of the Volume any more once it has succeeded. */
function letsGo(operation: Operation, holder: string, volume: string): boolean {
  if (operation.resource?.kind !== 'secondary' || operation.resource.name !== holder) return false;
  if (operation.kind === 'domain.detach-disk') return operation.volume === volume;
  return operation.kind === 'domain.stop' || operation.kind === 'domain.undefine';
}

/** Everything that must have succeeded before it is tried. */
function before(
  operation: Operation,
  byId: ReadonlyMap<OperationId, Operation>,
): ReadonlySet<Operation> {
  const found = new Set<Operation>();
  const visit = (id: OperationId): void => {
    const each = byId.get(id);
    if (each === undefined || found.has(each)) return;
    found.add(each);
    each.after.forEach(visit);
  };
  operation.after.forEach(visit);
  return found;
}

/**
 * Who starts with what its definition has had before is kept from it by QEMU's lock alone, where who else has it
 * could not be read: not to know that of one guest is no reason to keep all others down.
 */
function isItsOwn(
  { kind, resource }: Operation,
  volume: string,
  holder: string,
  { domains }: World,
  isDark: boolean,
): boolean {
  if (kind !== 'domain.start') return false;
  if (resource?.name === holder) return true;
  if (!isDark) return false;
  const domain = [...domains.values()].find(
    ({ definition }) => definition.owner?.secondary === resource?.name,
  );
  return domain !== undefined && volumesOf(domain.definition.fields).includes(volume as never);
}

/** What is done to a Volume though its holder need not have let go of it. */
function tooEarly(
  operations: readonly Operation[],
  wanted: DesiredState,
  world: World,
  isDark: (holder: string) => boolean,
): readonly string[] {
  const whole = wholeIn(world);
  const running = holdersIn(world, 'running');
  const saved = holdersIn(world, 'saved');
  // What was half deleted was nobody's by then, whoever seems to have it.
  const holdersOf = ({ kind }: Operation, volume: string) =>
    // What is larger than it was is still all there for who was saved with it.
    (whole.has(volume) && (kind === 'volume.grow' ? running : saved).get(volume)) || [];
  const byId = new Map(operations.map((each) => [each.id, each]));
  return operations.flatMap((operation) =>
    takenBy(operation, wanted).flatMap((volume) =>
      holdersOf(operation, volume).flatMap((holder) => {
        if (isItsOwn(operation, volume, holder, world, isDark(holder))) return [];
        const isGivenUp = [...before(operation, byId)].some((each) => letsGo(each, holder, volume));
        return isGivenUp ? [] : [`${operation.id} takes ${volume} from ${holder}`];
      }),
    ),
  );
}

/** Volumes of ours that were whole at first, and that a guest has without there being any more of them. */
function lost(world: World, whole: ReadonlySet<string>): readonly string[] {
  const left = world.volumes.get(partition);
  return [...holdersIn(world, 'saved')].flatMap(([volume, holders]) =>
    whole.has(volume) && left?.get(volume as never)?.state !== 'ready'
      ? [`${volume}, under ${holders.join(', ')}`]
      : [],
  );
}

function wholeIn({ volumes }: World): ReadonlySet<string> {
  const all = [...(volumes.get(partition) ?? [])];
  return new Set(all.filter(([, { state }]) => state === 'ready').map(([name]) => name));
}

describe('a Volume that a guest has', () => {
  test(
    'is taken by nobody before that guest has let go of it, in any plan',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyCase, fc.subarray(names), async ({ wanted, world }, dark) => {
          const rules = dark.length < names.length ? [unreadable(...dark)] : [];
          const plan = await planPass(testHost(structuredClone(world), { rules }), wanted, true);
          const isDark = (holder: string) => rules.length > 0 && dark.includes(holder);
          expect(tooEarly(plan.operations, wanted, world, isDark)).toEqual([]);
        }),
        runs(300),
      );
    },
    soakMs,
  );

  test(
    'is neither deleted nor asked for, whatever fails and whoever does not let go',
    async () => {
      const anyDeaf = fc.tuple(anyTempers, fc.boolean());
      const anyFaults = fc.array(fc.record({ at: fc.nat(60), fault: anyFault }), { maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(
          anyCase,
          anyDeaf,
          anyFaults,
          fc.constantFrom(1, 4),
          async ({ wanted, world: there }, [tempers, isDeaf], faults, inFlightMax) => {
            const world = structuredClone(there);
            const whole = wholeIn(world);
            const found: string[] = [];
            const watch: FaultRule = () => {
              found.push(...lost(world, whole));
              return null;
            };
            const temperOf = (fields: DomainFields, name: string) => ({
              ...temperIn(tempers)(fields, name),
              ...(isDeaf ? { unplugsAfterMs: null } : {}),
            });
            for (const each of [...faults, null, null]) {
              // What could not be read, the plan knows: see above.
              const spoil: FaultRule = (call) =>
                call.writes && call.index === each?.at ? each.fault : null;
              const host = testHost(world, { rules: [watch, spoil], temperOf });
              const report = await applyPass(host, wanted, { inFlightMax }).catch(() => null);
              const failures = (report?.outcomes ?? []).flatMap(({ result }) =>
                result.status === 'failed' ? [result.failure.message] : [],
              );
              expect(failures.filter((text) => text.includes('"write" lock'))).toEqual([]);
            }
            expect([...found, ...lost(world, whole)]).toEqual([]);
          },
        ),
        runs(150),
      );
    },
    soakMs,
  );
});
