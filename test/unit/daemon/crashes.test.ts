/**
 * Invariant 5: a daemon that dies anywhere, and is started again, ends where it would have ended,
 * with nothing leaked and nothing made twice. Every call that changes the host and every write to
 * the disk is a place to die at, once before and once after it.
 */
import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import type { World } from '../../../src/host/simulated/world.ts';
import { partition } from '../../support/passes.ts';
import { domainOf, worldOf } from '../../support/simulation.ts';
import {
  secondaryNamed,
  secondaryText,
  type VirtualDaemon,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';
import { virtualRuntime, type VirtualRuntime } from '../../support/virtual-runtime.ts';

const volume = (name: string) =>
  `---\n${JSON.stringify({
    apiVersion: 'unnest.dev/v1',
    kind: 'Volume',
    metadata: { name },
    spec: { size: '64MiB', format: 'raw', deletionPolicy: 'Delete' },
  })}\n`;

const withDisk = { spec: { disks: [{ volume: 'data' }] } };
const first = secondaryText('web', withDisk) + secondaryText('old') + volume('data');
const second =
  secondaryText('web', { spec: { ...withDisk.spec, vcpus: 2, updatePolicy: 'Restart' } }) +
  secondaryText('new') +
  volume('data');

/** What a person does in a while; each step ends when nothing moves any more. */
const story: readonly ((daemon: VirtualDaemon) => Promise<unknown>)[] = [
  (daemon) => daemon.submit(first),
  (daemon) => daemon.submit(second, { deletionsMax: 5 }),
  (daemon) => daemon.control.power(partition, secondaryNamed('new'), 'restart', 'uid 0'),
  (daemon) => daemon.submit(secondaryText('web', { spec: { vcpus: 2 } })),
];

const foreign = domainOf('theirs', {
  owner: null,
  ref: { uuid: '9d0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001' as never, domainName: 'theirs' },
  power: { status: 'running' },
  defined: {} as never,
});

function start(runtime: VirtualRuntime, world: World, rules: readonly FaultRule[] = []) {
  return virtualDaemon({ runtime, world, rules });
}

const freshWorld = () => worldOf({ files: ['vmlinuz'], domains: [foreign] });

/** What it all amounts to: who is there, as what, who runs, and what is said of it. */
function amounts(daemon: VirtualDaemon): unknown {
  const { world } = daemon;
  return {
    sync: daemon.status().sync,
    domains: [...world.domains.values()]
      .map(({ domainName, definition, guest }) => ({
        domainName,
        vcpus: definition?.fields.vcpus,
        stopAsked: definition?.stopAsked,
        live: guest?.fields.vcpus ?? null,
      }))
      .sort((a, b) => (a.domainName < b.domainName ? -1 : 1)),
    volumes: [...world.volumes.values()].flatMap((all) =>
      [...all].map(([name, { state }]) => [name, state]),
    ),
  };
}

async function told(daemon: VirtualDaemon, steps: typeof story): Promise<void> {
  for (const step of steps) {
    if (daemon.runtime.files.crashed) return;
    const doing = step(daemon).catch(() => undefined);
    await daemon.advance(60_000);
    if (!daemon.runtime.files.crashed) await doing;
  }
}

/** Where the story ends if nobody dies, step by step. */
async function ends() {
  const daemon = start(virtualRuntime(), freshWorld());
  await daemon.advance(1000);
  const after: unknown[] = [amounts(daemon)];
  for (const step of story) {
    await told(daemon, [step]);
    after.push(amounts(daemon));
  }
  const calls = daemon.hosts.faults.calls.filter(({ writes }) => writes).length;
  return { after, calls, writes: daemon.runtime.files.writes };
}

/** The same, dying once; then another daemon goes on from whatever is there, to the end. */
async function diesAndGoesOn(runtime: VirtualRuntime, rules: readonly FaultRule[]) {
  const world = freshWorld();
  const dying = start(runtime, world, rules);
  await told(dying, story);
  expect(runtime.files.crashed).toBe(true);
  const next = start(runtime.restart({ losePower: true }), world);
  await next.advance(700_000);
  return next;
}

describe('a daemon that dies', async () => {
  const { after, calls, writes } = await ends();

  test('has places to die at', () => {
    expect(calls).toBeGreaterThan(15);
    expect(writes).toBeGreaterThan(6);
    expect(after.at(-1)).not.toEqual(after[0]);
  });

  const places = (count: number) =>
    Array.from({ length: count }, (_, index) => index + 1).flatMap((at) =>
      (['before', 'after'] as const).map((when) => ({ at, when })),
    );

  test.each(places(calls))('$when call $at to the host', async ({ at, when }) => {
    const runtime = virtualRuntime();
    let count = 0;
    const rule: FaultRule = ({ writes: isWrite }) => {
      if (!isWrite || (count += 1) !== at) return null;
      // The call itself still reaches the host, or does not; nothing else does from here on.
      queueMicrotask(() => runtime.crash());
      return { kind: 'crash', when };
    };
    const daemon = await diesAndGoesOn(runtime, [rule]);
    expect(after).toContainEqual(amounts(daemon));
  });

  test.each(places(writes))('$when write $at to the disk', async ({ at, when }) => {
    const runtime = virtualRuntime();
    runtime.files.crashAtWrite(at, when);
    const daemon = await diesAndGoesOn(runtime, []);
    expect(after).toContainEqual(amounts(daemon));
  });
});
