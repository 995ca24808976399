/**
 * Several partitions in one daemon, as operators describe them in any order, while tenants hand in
 * documents, the host comes and goes and the process dies: the guests that run never have more of
 * the host than there is, at any call to it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FaultRule } from '../../src/host/simulated/faults.ts';
import type { World } from '../../src/host/simulated/world.ts';
import type { PartitionName } from '../../src/model/names.ts';
import { partition } from '../support/passes.ts';
import { worldOf } from '../support/simulation.ts';
import {
  descriptionOf,
  secondaryText,
  submitted,
  type VirtualDaemon,
  virtualDaemon,
} from '../support/virtual-daemon.ts';
import { runs, soakMs } from './arbitraries.ts';

const names = ['team-a', 'team-b'] as PartitionName[];
const cpus = 6;
const limit = fc.constantFrom(1, 2, 4, 6, 7);

/** Limits by name; of one that is not described, none. */
type Described = readonly (readonly [PartitionName, number])[];

type Step =
  | {
      readonly kind: 'describe';
      readonly vcpus: Described;
      /** What the tenants hand in then, by how many vCPUs each guest has; null: nothing. */
      readonly guests: readonly (readonly number[] | null)[];
    }
  | { readonly kind: 'host'; readonly isThere: boolean }
  | { readonly kind: 'drain'; readonly name: PartitionName }
  | { readonly kind: 'die' }
  | { readonly kind: 'advance' };

const describing: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('describe' as const),
  vcpus: fc
    .shuffledSubarray(names, { minLength: 1 })
    .chain((some) => fc.tuple(...some.map((name) => fc.tuple(fc.constant(name), limit)))),
  guests: fc.array(fc.constantFrom(null, [2], [4], [2, 2], [2, 4]), { minLength: 2, maxLength: 2 }),
});

const anyStep = fc.tuple(
  fc.oneof(
    { weight: 5, arbitrary: describing },
    fc.record({ kind: fc.constant('host' as const), isThere: fc.boolean() }),
    fc.record({ kind: fc.constant('drain' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('die' as const) }),
    fc.record({ kind: fc.constant('advance' as const) }),
  ),
  fc.constantFrom(1, 30, 3000, 3000, 600_000),
);

function describeAs({ supervisor }: VirtualDaemon, all: Described): void {
  const storage = '1GiB';
  const limitsOf = (vcpus: number) => {
    return { vcpus, memory: '4GiB', storage, secondaries: 9, enforcement: 'Admission' };
  };
  supervisor.describe(
    new Map(
      all.map(([name, vcpus]) => descriptionOf(name, { source: 'Apply', limits: limitsOf(vcpus) })),
    ),
  );
}

const textOf = (guests: readonly number[]) =>
  guests
    .map((vcpus, index) =>
      secondaryText(`vm-${index}`, { spec: { vcpus, updatePolicy: 'Restart' } }),
    )
    .join('');

interface Told {
  readonly daemon: VirtualDaemon;
  /** As it is in the folder. */
  readonly described: Described;
}

async function take({ daemon, described }: Told, step: Step, rules: FaultRule[]): Promise<Told> {
  const { control, hosts } = daemon;
  switch (step.kind) {
    case 'describe':
      describeAs(daemon, step.vcpus);
      await daemon.runtime.settle();
      names.forEach((name, index) => {
        const guests = step.guests[index] ?? null;
        if (guests !== null) void control.submit(name, submitted(textOf(guests)));
      });
      return { daemon, described: step.vcpus };
    case 'advance':
      return { daemon, described };
    case 'host':
      if (step.isThere) hosts.restore();
      else hosts.lose('gone');
      return { daemon, described };
    case 'drain':
      await control.drain(step.name, 'uid 0');
      return { daemon, described };
    case 'die': {
      const runtime = daemon.crash({ losePower: true });
      const next = virtualDaemon({ runtime, world: daemon.world, rules, partitions: [] });
      describeAs(next, described);
      return { daemon: next, described };
    }
  }
}

function running({ domains }: World): number {
  return [...domains.values()].reduce((sum, { guest }) => sum + (guest?.fields.vcpusMax ?? 0), 0);
}

test(
  'guests never have more than the host, and who fits it in the end is in',
  () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 2, maxLength: 8 }), async (steps) => {
        const world = worldOf({ files: ['vmlinuz'] });
        world.size = { cpus, memoryBytes: 2 ** 36 };
        const files = world.files.get(partition) ?? new Map();
        for (const name of names) world.files.set(name, files);
        let most = 0;
        const rules: FaultRule[] = [
          () => {
            most = Math.max(most, running(world));
            return null;
          },
        ];
        let told: Told = {
          daemon: virtualDaemon({ world, rules, partitions: [] }),
          described: [],
        };
        for (const [step, ms] of steps) {
          told = await take(told, step, rules);
          await told.daemon.advance(ms);
        }
        const { daemon, described } = told;
        daemon.hosts.restore();
        await daemon.advance(1_200_000);
        expect(Math.max(most, running(world))).toBeLessThanOrEqual(cpus);
        const { waiting, vcpus } = daemon.control.hostSum();
        const room = cpus - vcpus.promised;
        const asked = described.filter(([name]) => waiting.includes(name));
        // Of those that grow what they have is theirs already.
        const has = (name: PartitionName) =>
          daemon.control.status(name)?.usage.allocated.vcpus ?? 0;
        expect(asked.filter(([name, wanted]) => wanted <= room && has(name) === 0)).toEqual([]);
        await daemon.close();
      }),
      runs(100),
    ),
  soakMs,
);
