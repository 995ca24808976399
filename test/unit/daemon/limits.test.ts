/** The daemon and what a partition may have: over time, as limits change and a Primary is stubborn. */
import { describe, expect, test } from 'vitest';
import { machineBytes } from '../../../src/model/overhead.ts';
import { partition } from '../../support/passes.ts';
import { simulatedPrimary, worldOf } from '../../support/simulation.ts';
import {
  descriptionOf,
  secondaryText,
  type VirtualDaemon,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';

const MiB = 2 ** 20;

function describing({ supervisor }: VirtualDaemon, spec: object): void {
  const value = {
    apiVersion: 'unnest.dev/v1',
    kind: 'Partition',
    metadata: { name: partition },
    spec: { source: 'Apply', ...spec },
  };
  supervisor.describe(new Map([[partition, { file: 'team-a.yaml', value }]]));
}

const limits = (vcpus: number) => ({
  limits: { vcpus, memory: '4GiB', storage: '1GiB', secondaries: 9 },
});
const asking = (...names: readonly string[]) =>
  names.map((name) => secondaryText(name, { spec: { vcpus: 1, memory: '128MiB' } })).join('');

describe('limits', () => {
  test('hold what fits, say what does not, and are followed at once when they change', async () => {
    const daemon = virtualDaemon();
    describing(daemon, limits(2));
    await daemon.advance(1);
    await daemon.submit(asking('a', 'b', 'c'));
    await daemon.advance(1000);
    expect(daemon.words('b')).toBe('Running Synced Healthy');
    expect(daemon.words('c')).toBe('Blocked Blocked Degraded');
    expect(daemon.condition('Blocked', 'c')).toContain('OverBudget limits.vcpus is 2: 2 are used');
    expect(daemon.status().usage).toMatchObject({
      allocated: { vcpus: 2, secondaries: 2 },
      limits: { vcpus: 2 },
    });
    describing(daemon, limits(3));
    await daemon.advance(1000);
    expect(daemon.words('c')).toBe('Running Synced Healthy');
    describing(daemon, limits(1));
    await daemon.advance(1000);
    expect(daemon.condition('OverBudget')).toBe('True LimitsExceeded vCPUs: 3 of 1');
    expect(daemon.words('a')).toBe('Running Synced Healthy');
  });

  test('that are lowered stop nobody, and start nobody again', async () => {
    const daemon = virtualDaemon();
    describing(daemon, limits(2));
    await daemon.advance(1);
    await daemon.submit(asking('a', 'b'));
    await daemon.advance(1000);
    describing(daemon, limits(1));
    await daemon.advance(1000);
    for (const { guest } of daemon.world.domains.values()) expect(guest).not.toBeNull();
    const a = [...daemon.world.domains.values()].find(({ domainName }) =>
      domainName.endsWith('.a'),
    );
    if (a === undefined) throw new Error('a is gone');
    Object.assign(a, { guest: null, stopReason: 'crashed' });
    daemon.hosts.touch({
      kind: 'domain',
      domainName: a.domainName,
      uuid: a.uuid,
      event: 'stopped',
    });
    await daemon.advance(60_000);
    expect(a.guest).toBeNull();
    expect(daemon.condition('Blocked', 'a')).toContain('OverBudget');
  });

  test('are not taken by a newcomer when one that has them crashes', async () => {
    const daemon = virtualDaemon();
    describing(daemon, limits(1));
    await daemon.advance(1);
    await daemon.submit(asking('b'));
    await daemon.advance(1000);
    await daemon.submit(asking('a', 'b'));
    await daemon.advance(1000);
    expect(daemon.words('a')).toBe('Blocked Blocked Degraded');
    const [b] = daemon.world.domains.values();
    if (b === undefined) throw new Error('b is gone');
    Object.assign(b, { guest: null, stopReason: 'crashed' });
    const { domainName, uuid } = b;
    daemon.hosts.touch({ kind: 'domain', domainName, uuid, event: 'stopped' });
    await daemon.advance(60_000);
    expect(daemon.words('b')).toBe('Running Synced Healthy');
    expect(daemon.words('a')).toBe('Blocked Blocked Degraded');
  });

  test('are written once, and nothing is said anew while nothing changes', async () => {
    const daemon = virtualDaemon();
    describing(daemon, limits(2));
    await daemon.advance(1);
    await daemon.submit(asking('a'));
    await daemon.advance(10_000);
    const writes = daemon.writes.length;
    const said = () => JSON.stringify({ ...daemon.statuses.at(-1), lastPass: null });
    const before = said();
    await daemon.advance(3_600_000);
    expect(daemon.writes).toHaveLength(writes);
    expect(said()).toBe(before);
  });
});

describe('a Primary', () => {
  const primary = (releasesAfterMs: number | null) => simulatedPrimary({ releasesAfterMs });
  const all = machineBytes({ vcpus: 2, memoryBytes: 768 * MiB, translationCacheBytes: 0 });
  const described = {
    limits: {
      vcpus: 2,
      memory: `${all / MiB}MiB`,
      storage: '1GiB',
      secondaries: 9,
      enforcement: 'Admission',
    },
    primary: {
      domain: 'team-a',
      reserved: { vcpus: 1, memory: '256MiB' },
      grants: ['vcpus', 'memory'],
    },
  };

  test('that does not release is waited for, named, and asked again until it does', async () => {
    const world = worldOf({ files: ['vmlinuz'], primaries: { 'team-a': primary(null) } });
    const daemon = virtualDaemon({ world });
    describing(daemon, described);
    await daemon.advance(1);
    await daemon.submit(asking('web'));
    await daemon.advance(70_000);
    expect(daemon.condition('Synced', 'web')).toMatch(
      /update: not-running; waits for primary team-a \(PrimaryNotReleasing\): Timeout: team-a was asked to go from 2 vCPUs to 1/,
    );
    expect(daemon.writes.filter((call) => call.startsWith('start '))).toEqual([]);
    Object.assign(world.primaries.get('team-a') ?? {}, { releasesAfterMs: 2000 });
    await daemon.advance(600_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(world.primaries.get('team-a')?.live?.vcpus).toBe(1);
    expect(daemon.status().usage.primary).toMatchObject({ vcpus: 1 });
  });

  test('has what it has, whatever its partition may have by now: nobody else gets it', async () => {
    const world = worldOf({ files: ['vmlinuz'], primaries: { 'team-a': primary(null) } });
    world.size = { cpus: 3, memoryBytes: 2 ** 40 };
    const daemon = virtualDaemon({ world });
    const lowered = { ...described, limits: { ...described.limits, vcpus: 1 } };
    const other = { source: 'Apply', limits: { ...described.limits, vcpus: 2 } };
    for (const spec of [described, lowered]) {
      const descriptions = [
        descriptionOf(partition, { source: 'Apply', ...spec }),
        descriptionOf('team-b', other),
      ];
      daemon.supervisor.describe(new Map(descriptions));
      await daemon.advance(1);
      await daemon.submit(asking('web'));
      await daemon.advance(200_000);
    }
    const told = daemon.control.problems().find(({ file }) => file === 'team-b.yaml');
    expect(told?.message).toMatch(/asks for 2 vCPUs, and 2 of the 3 .* promised to team-a/);
  });

  test('is to move into the slice: there is room for it there before it is started', async () => {
    const world = worldOf({ files: ['vmlinuz'], primaries: { 'team-a': primary(null) } });
    const daemon = virtualDaemon({ world });
    const within = { ...described, limits: { ...described.limits, enforcement: 'Cgroup' } };
    describing(daemon, within);
    await daemon.advance(1);
    await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Halted' } }));
    await daemon.advance(10_000);
    const [path] = world.slices.keys();
    const memoryMax = () => world.slices.get(path ?? '')?.memoryMaxBytes;
    // What runs elsewhere is taken off.
    expect(memoryMax()).toBeLessThan(all);
    const edit = /^True NotInSlice team-a runs outside .*<partition>(.*)<\/partition>/;
    expect(daemon.condition('PrimaryOutside')).toMatch(edit);
    Object.assign(world.primaries.get('team-a') ?? {}, { nextSlicePath: path });
    const uuid = primary(null).uuid;
    daemon.hosts.touch({ kind: 'domain', domainName: 'team-a', uuid, event: 'defined' });
    await daemon.advance(2000);
    expect(memoryMax()).toBe(all);
    await daemon.advance(2000);
    expect(daemon.condition('PrimaryOutside')).toMatch(/^True RestartRequired team-a runs outside/);
    Object.assign(world.primaries.get('team-a') ?? {}, { slicePath: path });
    daemon.hosts.touch({ kind: 'domain', domainName: 'team-a', uuid, event: 'started' });
    await daemon.advance(2000);
    expect(daemon.condition('PrimaryOutside')).toBe('unsaid');
    expect(memoryMax()).toBe(all);
  });

  test('gets back what it gave when its Secondary goes', async () => {
    const world = worldOf({ files: ['vmlinuz'], primaries: { 'team-a': primary(500) } });
    const daemon = virtualDaemon({ world });
    describing(daemon, described);
    await daemon.advance(1);
    await daemon.submit(asking('web'));
    await daemon.advance(10_000);
    expect(world.primaries.get('team-a')?.live?.vcpus).toBe(1);
    await daemon.submit('', { deleteEverything: true });
    await daemon.advance(60_000);
    expect(world.primaries.get('team-a')?.live).toEqual({ vcpus: 2, pluggedBytes: 512 * MiB });
  });

  test('is unplugged from the network when its partition is emptied', async () => {
    const world = worldOf({ files: ['vmlinuz'], primaries: { 'team-a': primary(500) } });
    const daemon = virtualDaemon({ world });
    const { domain, reserved } = described.primary;
    describing(daemon, {
      network: { cidr: '10.20.0.0/24' },
      primary: { domain, reserved, grants: ['network'] },
    });
    await daemon.advance(1);
    await daemon.submit(asking('web'));
    await daemon.advance(10_000);
    expect(world.primaries.get('team-a')?.livePlugs).toHaveLength(1);
    await daemon.control.drain(partition, 'uid 0');
    await daemon.advance(120_000);
    expect(world.primaries.get('team-a')).toMatchObject({ plugs: [], livePlugs: [] });
    expect(world.networks.size).toBe(0);
  });
});
