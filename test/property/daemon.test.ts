/**
 * The daemon as people use it, in any order: documents, pauses, orders, a host that comes and goes,
 * others that meddle, a process that dies. Whatever has happened, foreign things are untouched, who is
 * paused is left alone, and in the end all is as the documents say and nothing more is written.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partition } from '../support/passes.ts';
import { domainOf, worldOf } from '../support/simulation.ts';
import {
  secondaryNamed,
  secondaryText,
  type VirtualDaemon,
  virtualDaemon,
} from '../support/virtual-daemon.ts';
import { runs, soakMs } from './arbitraries.ts';

const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];

interface Wanted {
  readonly name: Name;
  readonly vcpus: number;
  readonly runPolicy: string;
  readonly updatePolicy: string;
}

type Step =
  | { readonly kind: 'submit'; readonly wanted: readonly Wanted[]; readonly everything: boolean }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'pause' | 'resume'; readonly name: Name | null }
  | { readonly kind: 'power'; readonly name: Name; readonly action: 'start' | 'stop' | 'restart' }
  | { readonly kind: 'host'; readonly isThere: boolean }
  | { readonly kind: 'meddle'; readonly name: Name; readonly how: 'kill' | 'undefine' }
  | { readonly kind: 'die'; readonly losePower: boolean }
  | { readonly kind: 'drain' }
  | { readonly kind: 'rollback'; readonly generation: number };

const anyName = fc.constantFrom(...names);
const anyWanted: fc.Arbitrary<Wanted> = fc.record({
  name: anyName,
  vcpus: fc.constantFrom(1, 2),
  runPolicy: fc.constantFrom('Always', 'Always', 'RerunOnFailure', 'Manual', 'Halted'),
  updatePolicy: fc.constantFrom('Staged', 'Restart'),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      wanted: fc.uniqueArray(anyWanted, { selector: ({ name }) => name, maxLength: 3 }),
      everything: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.constantFrom(5, 30, 300, 3000, 60_000, 600_000),
    }),
  },
  fc.record({
    kind: fc.constantFrom('pause' as const, 'resume' as const),
    name: fc.option(anyName),
  }),
  fc.record({
    kind: fc.constant('power' as const),
    name: anyName,
    action: fc.constantFrom('start' as const, 'stop' as const, 'restart' as const),
  }),
  fc.record({ kind: fc.constant('host' as const), isThere: fc.boolean() }),
  fc.record({
    kind: fc.constant('meddle' as const),
    name: anyName,
    how: fc.constantFrom('kill' as const, 'undefine' as const),
  }),
  fc.record({ kind: fc.constant('die' as const), losePower: fc.boolean() }),
  fc.record({ kind: fc.constant('drain' as const) }),
  fc.record({ kind: fc.constant('rollback' as const), generation: fc.integer({ min: 1, max: 4 }) }),
);

const foreign = domainOf('theirs', {
  owner: null,
  ref: { uuid: '9d0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001' as never, domainName: 'theirs' },
  power: { status: 'running' },
  defined: {} as never,
});

const textOf = (wanted: readonly Wanted[]) =>
  wanted.map(({ name, ...spec }) => secondaryText(name, { spec })).join('');

const hold = (name: Name | null) => ({
  secondary: name === null ? null : secondaryNamed(name),
  reason: 'because',
  submitter: 'uid 0',
  expiresAt: null,
});

/** @returns the daemon that goes on: another one, if this one has died */
async function take(daemon: VirtualDaemon, step: Step): Promise<VirtualDaemon> {
  const { control, world } = daemon;
  switch (step.kind) {
    case 'submit':
      await daemon.submit(textOf(step.wanted), { deleteEverything: step.everything });
      return daemon;
    case 'advance':
      await daemon.advance(step.ms);
      return daemon;
    case 'pause':
      await control.pause(partition, hold(step.name));
      return daemon;
    case 'resume':
      await control.resume(partition, hold(step.name).secondary, 'uid 0');
      return daemon;
    case 'power':
      await control.power(partition, secondaryNamed(step.name), step.action, 'uid 0');
      return daemon;
    case 'host':
      if (step.isThere) daemon.hosts.restore();
      else daemon.hosts.lose('gone');
      return daemon;
    case 'meddle':
      meddle(daemon, step.name, step.how);
      return daemon;
    case 'die': {
      const next = virtualDaemon({ runtime: daemon.crash(step), world });
      await next.advance(1);
      return next;
    }
    case 'drain':
      await control.drain(partition, 'uid 0');
      return daemon;
    case 'rollback':
      await control.rollback(
        partition,
        { generation: step.generation, ifGeneration: null },
        'uid 0',
      );
      return daemon;
  }
}

function meddle({ world, hosts }: VirtualDaemon, name: Name, how: 'kill' | 'undefine'): void {
  for (const domain of world.domains.values()) {
    if (domain.domainName !== `unnest.${partition}.${name}`) continue;
    if (how === 'undefine') world.domains.delete(domain.uuid);
    else if (domain.guest !== null) Object.assign(domain, { guest: null, stopReason: 'crashed' });
    const { domainName, uuid } = domain;
    hosts.touch({ kind: 'domain', domainName, uuid, event: 'stopped' });
  }
}

/** Everybody lets go of everything. */
async function settle(daemon: VirtualDaemon): Promise<void> {
  daemon.hosts.restore();
  await daemon.advance(10_000);
  for (const name of [...names, null]) {
    await daemon.control.resume(partition, hold(name).secondary, 'uid 0');
  }
  await daemon.control.retry(partition, 'uid 0');
  await daemon.advance(7_200_000);
}

const isSettled = ({
  sync,
  conditions,
}: {
  sync: string;
  conditions: readonly { type: string; reason: string }[];
}) =>
  sync === 'Synced' ||
  conditions.some(
    ({ type, reason }) =>
      type === 'RestartRequired' || (type === 'Blocked' && reason === 'DeletesEverything'),
  );

describe('a daemon, whatever happens around it', () => {
  test(
    'ends with what the documents say, touches nothing foreign, and then rests',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 14 }), async (steps) => {
          const world = worldOf({ files: ['vmlinuz'], domains: [foreign] });
          const theirs = structuredClone(foreign);
          let daemon = virtualDaemon({ world });
          await daemon.advance(1);
          for (const step of steps) daemon = await take(daemon, step);
          await settle(daemon);
          expect(world.domains.get(theirs.uuid)).toEqual(theirs);
          const { secondaries, generation } = daemon.status();
          const unsettled = secondaries.filter((each) => generation > 0 && !isSettled(each));
          expect(unsettled).toEqual([]);
          const before = daemon.writes.length;
          await daemon.advance(3_600_000);
          expect(daemon.writes.slice(before)).toEqual([]);
        }),
        runs(60),
      );
    },
    soakMs,
  );

  test(
    'leaves a paused partition alone, from when its pass has ended to when it is resumed',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyStep, { maxLength: 8 }),
          fc.array(anyStep, { maxLength: 8 }),
          async (before, during) => {
            let daemon = virtualDaemon();
            await daemon.advance(1);
            for (const step of before) daemon = await take(daemon, step);
            daemon.hosts.restore();
            await daemon.advance(1000);
            const answer = await daemon.control.pause(partition, hold(null));
            // What was under way ends, and waits for no guest.
            await daemon.advance(60_000);
            if (answer?.status !== 'ok') return;
            const writes: (readonly string[])[] = [];
            let from = daemon.writes.length;
            for (const step of during) {
              if (step.kind === 'resume' && step.name === null) continue;
              const next = await take(daemon, step);
              writes.push(daemon.writes.slice(from));
              from = next === daemon ? daemon.writes.length : 0;
              daemon = next;
            }
            await daemon.advance(600_000);
            writes.push(daemon.writes.slice(from));
            expect(writes.flat()).toEqual([]);
          },
        ),
        runs(60),
      );
    },
    soakMs,
  );
});
