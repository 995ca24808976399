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
import { worldOf } from '../support/simulation.ts';
import {
  descriptionOf,
  secondaryText,
  submitted,
  type VirtualDaemon,
  virtualDaemon,
} from '../support/virtual-daemon.ts';
import { runs, soakMs } from './arbitraries.ts';

const names = ['team-a', 'team-b', 'team-c'] as PartitionName[];
const cpus = 6;
const anyName = fc.constantFrom(...names);

type Step =
  | { readonly kind: 'describe'; readonly vcpus: readonly (readonly [PartitionName, number])[] }
  | { readonly kind: 'submit'; readonly name: PartitionName; readonly guests: readonly number[] }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'host'; readonly isThere: boolean }
  | { readonly kind: 'drain'; readonly name: PartitionName }
  | { readonly kind: 'die' };

const describing: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('describe' as const),
  vcpus: fc.uniqueArray(fc.tuple(anyName, fc.integer({ min: 1, max: 7 })), {
    selector: ([name]) => name,
  }),
});

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: describing },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      name: anyName,
      guests: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 30, 3000, 60_000, 600_000),
    }),
  },
  fc.record({ kind: fc.constant('host' as const), isThere: fc.boolean() }),
  fc.record({ kind: fc.constant('drain' as const), name: anyName }),
  fc.record({ kind: fc.constant('die' as const) }),
);

function describeAs({ supervisor }: VirtualDaemon, step: Extract<Step, { kind: 'describe' }>) {
  const storage = '1GiB';
  const limitsOf = (vcpus: number) => {
    return { vcpus, memory: '4GiB', storage, secondaries: 9, enforcement: 'Admission' };
  };
  supervisor.describe(
    new Map(
      step.vcpus.map(([name, vcpus]) =>
        descriptionOf(name, { source: 'Apply', limits: limitsOf(vcpus) }),
      ),
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
  readonly described: Extract<Step, { kind: 'describe' }>;
}

async function take({ daemon, described }: Told, step: Step, rules: FaultRule[]): Promise<Told> {
  const { control, hosts } = daemon;
  switch (step.kind) {
    case 'describe':
      describeAs(daemon, step);
      return { daemon, described: step };
    case 'submit':
      void control.submit(step.name, { ...submitted(textOf(step.guests)), deleteEverything: true });
      return { daemon, described };
    case 'advance':
      await daemon.advance(step.ms);
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
      fc.asyncProperty(fc.array(anyStep, { minLength: 2, maxLength: 14 }), async (steps) => {
        const world = worldOf({ files: ['vmlinuz'] });
        world.size = { cpus, memoryBytes: 2 ** 36 };
        for (const name of names) world.files.set(name, new Map(world.files.get(names[0]!)));
        let most = 0;
        const rules: FaultRule[] = [
          () => {
            most = Math.max(most, running(world));
            return null;
          },
        ];
        let told: Told = {
          daemon: virtualDaemon({ world, rules, partitions: [] }),
          described: { kind: 'describe', vcpus: [] },
        };
        for (const step of steps) told = await take(told, step, rules);
        const { daemon, described } = told;
        daemon.hosts.restore();
        await daemon.advance(1_200_000);
        expect(Math.max(most, running(world))).toBeLessThanOrEqual(cpus);
        const { waiting, vcpus } = daemon.control.hostSum();
        const room = cpus - vcpus.promised;
        const asked = described.vcpus.filter(([name]) => waiting.includes(name));
        // Of those that grow what they have is theirs already.
        const has = (name: PartitionName) =>
          daemon.control.status(name)?.usage.allocated.vcpus ?? 0;
        expect(asked.filter(([name, wanted]) => wanted <= room && has(name) === 0)).toEqual([]);
        await daemon.close();
      }),
      runs(60),
    ),
  soakMs,
);
