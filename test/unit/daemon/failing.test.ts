/** What fails is tried as often as is of use, costs nobody else anything, and is never lost sight of. */
import { describe, expect, test } from 'vitest';
import type { PartitionName } from '../../../src/model/names.ts';
import { partition } from '../../support/passes.ts';
import { worldOf } from '../../support/simulation.ts';
import {
  ends,
  folder,
  holdOf,
  passes,
  power,
  refusing,
  stuckText,
  switched,
  volumeText,
  writesOf,
} from '../../support/daemon-orders.ts';
import {
  descriptionOf,
  secondaryNamed,
  secondaryText,
  submitted,
  virtualDaemon,
  type VirtualDaemon,
  type VirtualDaemonOptions,
} from '../../support/virtual-daemon.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';

const network = { cidr: '10.20.0.0/24' };
const onNetwork = secondaryText('web', { spec: { network: 'Partition' } });
const describeAs = ({ supervisor }: VirtualDaemon, spec: Readonly<Record<string, unknown>>) =>
  supervisor.describe(new Map([descriptionOf(partition, spec)]));

const hourMs = 3_600_000;
/** Every 300 s. */
const resyncsAnHour = 12;

async function passesInAnHour(daemon: VirtualDaemon): Promise<number> {
  const before = passes(daemon);
  await daemon.advance(hourMs);
  return passes(daemon) - before;
}

describe('a refusal', () => {
  test.each(['Refused', 'Conflict', 'Timeout'] as const)(
    '(%s) is tried again: the next time it may be taken',
    async (code) => {
      const failing = switched(refusing('start', code));
      const daemon = virtualDaemon({ rules: [failing.rule] });
      await daemon.submit(secondaryText('web'));
      await daemon.advance(100);
      expect(daemon.words('web')).toMatch(/Degraded$/);
      failing.on = false;
      await daemon.advance(60_000);
      expect(daemon.words('web')).toBe('Running Synced Healthy');
    },
  );

  test('of what the host cannot do is not repeated', async () => {
    const daemon = virtualDaemon({ rules: [refusing('start', 'Unsupported')] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(hourMs);
    expect(writesOf(daemon, 'start ')).toHaveLength(1);
    expect(daemon.condition('GaveUp', 'web')).toMatch(/^True Failed/);
  });

  test('that was given up is tried again once the thing is another than it was', async () => {
    const failing = switched(refusing('define', 'Refused'));
    failing.on = false;
    const daemon = virtualDaemon({ rules: [failing.rule] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    failing.on = true;
    await daemon.submit(secondaryText('web', { spec: { vcpus: 2 } }));
    await daemon.advance(hourMs);
    expect(daemon.condition('GaveUp', 'web')).toMatch(/^True Failed/);
    failing.on = false;
    ends(daemon, 'web', 'crashed');
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('of a guest to end is void once it has ended', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(stuckText('web', { forceStop: false }) + secondaryText('db'));
    await daemon.advance(1000);
    await daemon.control.drain(partition, 'uid 0');
    await daemon.advance(2 * hourMs);
    expect(daemon.condition('GaveUp', 'web')).toMatch(/^True Failed/);
    ends(daemon, 'web', 'guest-shutdown');
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('absent');
    expect(daemon.condition('Draining')).toMatch(/^True Empty/);
  });
});

describe('what fails and cannot be tried', () => {
  test('costs no more passes than there are resyncs: it is paused', async () => {
    const daemon = virtualDaemon({ attemptsMax: 10, rules: [refusing('start', 'Timeout')] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(100);
    await daemon.control.pause(partition, holdOf(null));
    await daemon.advance(10_000);
    expect(await passesInAnHour(daemon)).toBeLessThanOrEqual(resyncsAnHour);
  });

  test('costs a pass a minute: its kernel has gone', async () => {
    const daemon = virtualDaemon({ attemptsMax: 10, rules: [refusing('start', 'Timeout')] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(100);
    daemon.world.files.get(partition)?.clear();
    await daemon.advance(10_000);
    expect(daemon.condition('Blocked', 'web')).toMatch(/^True FileMissing/);
    // Of a file that comes nothing tells, so that it is looked for each minute.
    expect(await passesInAnHour(daemon)).toBeLessThanOrEqual(61);
    daemon.world.files.get(partition)?.set('vmlinuz', { bytes: 1, digest: null });
    await daemon.advance(61_000);
    expect(daemon.condition('Blocked', 'web')).not.toMatch(/FileMissing/);
  });

  test('costs no more passes than looking for a host does', async () => {
    const daemon = virtualDaemon({ attemptsMax: 10, rules: [refusing('start', 'Timeout')] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(100);
    daemon.hosts.lose('libvirtd is gone');
    await daemon.advance(30_000);
    expect(await passesInAnHour(daemon)).toBeLessThan(30);
  });

  test('costs no more passes than what it waits for', async () => {
    const rules = [refusing('start', 'Timeout'), refusing('start', 'Refused', 'db')];
    const daemon = virtualDaemon({ attemptsMax: 5, rules });
    const web = secondaryText('web', { spec: { startAfter: ['db'] } });
    await daemon.submit(web + secondaryText('db'));
    await daemon.advance(5000);
    expect(await passesInAnHour(daemon)).toBeLessThan(30);
  });
});

const second = 'team-b' as PartitionName;
const third = 'team-c' as PartitionName;
const others = [second, third];

const threeOf = (more: Pick<VirtualDaemonOptions, 'onRelease' | 'latency' | 'runtime'> = {}) => {
  const world = worldOf({ files: ['vmlinuz'] });
  for (const name of others) world.files.set(name, new Map(world.files.get(partition)));
  return virtualDaemon({ world, partitions: [partition, ...others], ...more });
};

describe('a guest that takes long to end', () => {
  test('keeps no other partition waiting', async () => {
    const daemon = threeOf();
    const submit = (name: PartitionName, text: string) =>
      daemon.control.submit(name, submitted(text));
    await daemon.advance(10);
    for (const name of [partition, second]) await submit(name, stuckText('web'));
    await submit(third, secondaryText('web'));
    await daemon.advance(5000);
    // As many partitions as there may be passes at once.
    const halted = { runPolicy: 'Halted', terminationGracePeriodSeconds: 600 };
    for (const name of [partition, second]) await submit(name, stuckText('web', halted));
    await daemon.advance(1000);
    await submit(third, secondaryText('web') + secondaryText('app'));
    await daemon.advance(2000);
    expect(writesOf(daemon, 'start unnest.team-c.app')).toHaveLength(1);
  });
});

describe('a host that takes long to answer', () => {
  test('keeps no partition from being let go that waits for its turn', async () => {
    const released: string[] = [];
    const runtime = virtualRuntime();
    const slow = async () => runtime.timers.sleep(600_000, new AbortController().signal);
    const daemon = threeOf({ runtime, latency: slow, onRelease: (name) => released.push(name) });
    await daemon.advance(10);
    for (const name of [partition, ...others]) {
      await daemon.control.submit(name, submitted(secondaryText('web')));
    }
    await daemon.advance(1000);
    daemon.describe('Apply', [partition, second]);
    await daemon.advance(1000);
    expect(released).toEqual([third]);
  });
});

describe('what was wrong with the Partition document', () => {
  test('and is mended is tried again', async () => {
    const failing = switched(refusing('start', 'Unsupported'));
    const daemon = virtualDaemon({ rules: [failing.rule] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    expect(daemon.condition('GaveUp', 'web')).toMatch(/^True Failed/);
    failing.on = false;
    describeAs(daemon, { source: 'Apply', network });
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('and is mended makes the folder valid that it had made invalid', async () => {
    const daemon = virtualDaemon({ source: 'Directory' });
    daemon.runtime.disk.write(`${folder}/web.yaml`, onNetwork);
    await daemon.advance(5000);
    expect(daemon.condition('DocumentsValid')).toMatch(/^False Invalid/);
    describeAs(daemon, { source: 'Directory', network });
    await daemon.advance(10_000);
    expect(daemon.condition('DocumentsValid')).toBe('True Valid');
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a resume', () => {
  test('tries what has failed before and during the pause', async () => {
    const failing = switched(refusing('start', 'Unsupported'));
    const daemon = virtualDaemon({ rules: [failing.rule] });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    await daemon.control.pause(partition, holdOf('web'));
    await daemon.advance(hourMs);
    failing.on = false;
    await daemon.control.resume(partition, secondaryNamed('web'), 'uid 0');
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a disk of a guest that is paused', () => {
  test('does not grow, though the guest is stopped', async () => {
    const daemon = virtualDaemon();
    const spec = { runPolicy: 'Manual', disks: [{ volume: 'data' }] };
    const web = secondaryText('web', { spec });
    await daemon.submit(web + volumeText());
    await daemon.advance(2000);
    await daemon.control.pause(partition, holdOf('web'));
    await daemon.submit(web + volumeText({ size: '128MiB' }));
    await daemon.advance(10_000);
    expect(writesOf(daemon, 'volumes.grow')).toEqual([]);
    await daemon.control.resume(partition, secondaryNamed('web'), 'uid 0');
    await daemon.advance(10_000);
    expect(writesOf(daemon, 'volumes.grow')).toHaveLength(1);
  });
});

describe('what is forgiven during a pass', () => {
  test('stays forgiven after it', async () => {
    const failing = switched(refusing('start', 'Unsupported'));
    const daemon = virtualDaemon({ rules: [failing.rule] });
    await daemon.submit(secondaryText('web') + stuckText('db', { runPolicy: 'Manual' }));
    await power(daemon, 'db', 'start');
    await daemon.advance(3_600_000);
    expect(daemon.condition('GaveUp', 'web')).toMatch(/^True Failed/);
    await power(daemon, 'db', 'stop');
    await daemon.advance(1000);
    expect(daemon.words('db')).toMatch(/^Stopping|^Running/);
    failing.on = false;
    await daemon.control.retry(partition, 'uid 0');
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});
