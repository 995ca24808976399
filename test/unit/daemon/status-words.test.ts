/** A status says what is so, and nothing that nobody knows; what cannot be said costs no care. */
import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import { HostError } from '../../../src/host/host-error.ts';
import { partition } from '../../support/passes.ts';
import {
  ends,
  folder,
  refusing,
  switched,
  volumeText,
  writesOf,
} from '../../support/daemon-orders.ts';
import { onCall } from '../../support/simulation.ts';
import {
  descriptionOf,
  secondaryText,
  type VirtualDaemon,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';

const network = { cidr: '10.20.0.0/24' };
const onNetwork = secondaryText('web', { spec: { network: 'Partition' } });
const describeAs = ({ supervisor }: VirtualDaemon, spec: Readonly<Record<string, unknown>>) =>
  supervisor.describe(new Map([descriptionOf(partition, spec)]));

/** Two guests, of which one needs the network that the operator then takes out of the description. */
async function networkTakenAway() {
  const daemon = virtualDaemon();
  await daemon.advance(0);
  describeAs(daemon, { source: 'Apply', network });
  await daemon.submit(onNetwork + secondaryText('db'));
  await daemon.advance(1000);
  expect(daemon.words('web')).toBe('Running Synced Healthy');
  describeAs(daemon, { source: 'Apply' });
  await daemon.advance(1000);
  expect(daemon.condition('Accepted')).toMatch(/^False NoLongerValid.*describes no network/);
  return daemon;
}

describe('documents that the operator has made invalid', () => {
  test('stay in force, and everybody in care', async () => {
    const daemon = await networkTakenAway();
    ends(daemon, 'db', 'crashed');
    ends(daemon, 'web', 'crashed');
    await daemon.advance(60_000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(await daemon.submit(secondaryText('db'))).toMatchObject({ status: 'accepted' });
  });

  test('are nothing to conclude from after a start: nothing is done, and nothing is known', async () => {
    const first = await networkTakenAway();
    const runtime = first.crash();
    const second = virtualDaemon({ runtime, world: first.world });
    await second.advance(600_000);
    expect(second.condition('Accepted')).toMatch(/^False NoLongerValid/);
    expect(second.status()).toMatchObject({ sync: 'Unknown', health: 'Unknown' });
    expect(second.writes).toEqual([]);
  });

  test('do not come back with a rollback', async () => {
    const daemon = virtualDaemon();
    await daemon.advance(0);
    describeAs(daemon, { source: 'Apply', network });
    await daemon.submit(onNetwork);
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    describeAs(daemon, { source: 'Apply' });
    const result = await daemon.control.rollback(
      partition,
      { generation: 1, ifGeneration: null },
      'uid 0',
    );
    expect(result).toMatchObject({ status: 'refused', code: 'Invalid' });
    daemon.world.domains.clear();
    await daemon.advance(300_000);
    expect(daemon.condition('Accepted')).toBe('True InForce');
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a pass that ends with a bug', () => {
  test('leaves nothing said that nobody has seen, and is tried again', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const authority = daemon.supervisor.partition(partition)?.authority;
    if (authority === undefined || authority === null) throw new Error('it is not open');
    const input = authority.input.bind(authority);
    authority.input = () => {
      throw new Error('a bug');
    };
    daemon.world.domains.clear();
    await daemon.advance(600_000);
    expect(daemon.words('web')).toBe('Unknown Unknown Unknown');
    expect(daemon.condition('Ready')).toMatch(/^Unknown/);
    expect(daemon.events.filter(({ kind }) => kind === 'pass-failed').length).toBeGreaterThan(1);
    authority.input = input;
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('what is to be there, is not, and cannot be had', () => {
  test('is degraded: a guest whose kernel has gone', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    daemon.world.files.get(partition)?.clear();
    ends(daemon, 'web', 'powered-off');
    await daemon.advance(10_000);
    expect(daemon.words('web')).toBe('Stopped Blocked Degraded');
    expect(daemon.condition('Ready', 'web')).toMatch(/^False/);
    expect(daemon.condition('Ready')).toBe('False Degraded');
  });

  test('is degraded: a guest that waits for one that was given up', async () => {
    const daemon = virtualDaemon({ rules: [refusing('start', 'Refused', 'db')] });
    const web = secondaryText('web', { spec: { startAfter: ['db'] } });
    await daemon.submit(web + secondaryText('db'));
    await daemon.advance(3_600_000);
    expect(daemon.words('web')).toBe('Stopped Blocked Degraded');
    expect(daemon.words('db')).toBe('Stopped Blocked Degraded');
  });

  test.each([
    ['while it is tried', 500],
    ['right after it was given up', 60_000],
    ['later', 3_600_000],
  ])('is degraded: a Volume, %s', async (_when, afterMs) => {
    const full: FaultRule = onCall('volumes.create', {
      kind: 'error',
      error: new HostError('Refused', 'the disk is full'),
    });
    const daemon = virtualDaemon({ rules: [full] });
    await daemon.submit(volumeText() + secondaryText('db'));
    await daemon.advance(afterMs);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(daemon.status().health).toBe('Degraded');
    expect(daemon.condition('Ready')).toBe('False Degraded');
    expect(daemon.status().resources).toMatchObject([
      { kind: 'volume', message: expect.stringContaining('the disk is full') },
    ]);
  });

  test('is healthy where it is to be stopped', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Halted' } }));
    daemon.world.files.get(partition)?.clear();
    await daemon.advance(600_000);
    expect(writesOf(daemon, 'start')).toEqual([]);
    expect(daemon.condition('Ready')).toBe('True Healthy');
  });
});

describe('a condition', () => {
  test('is since when it is so, also of a partition that cannot be opened', async () => {
    const daemon = virtualDaemon({ locked: new Set([partition]) });
    await daemon.advance(10_000);
    const since = () => daemon.status().conditions.map((each) => each.since);
    const before = since();
    await daemon.advance(60_000);
    expect(since()).toEqual(before);
    expect(before[0]).toBe('2030-01-01T00:00:00.000Z');
  });

  test('of a folder is not said any more when it does not rule', async () => {
    const daemon = virtualDaemon({ source: 'Directory' });
    daemon.runtime.disk.write(`${folder}/web.yaml`, 'kind: [');
    await daemon.advance(5000);
    expect(daemon.condition('DocumentsValid')).toMatch(/^False/);
    daemon.describe('Apply');
    await daemon.advance(1000);
    expect(daemon.condition('DocumentsValid')).toBe('unsaid');
  });
});

test('a Volume that cannot be looked at is looked at again before long', async () => {
  const error = new HostError('Timeout', 'lvs');
  const dark = switched(onCall('volumes.read', { kind: 'error', error }));
  dark.on = false;
  const daemon = virtualDaemon({ rules: [dark.rule] });
  await daemon.submit(volumeText());
  await daemon.advance(5000);
  dark.on = true;
  await daemon.submit(volumeText() + secondaryText('web'));
  await daemon.advance(5000);
  expect(daemon.status()).toMatchObject({ sync: 'Unknown' });
  dark.on = false;
  await daemon.advance(10_000);
  expect(daemon.status()).toMatchObject({ sync: 'Synced' });
});

test('what a host that was away does not show is looked at again as soon as anything is', async () => {
  const error = new HostError('Timeout', 'lvs');
  const dark = switched(onCall('volumes.read', { kind: 'error', error }));
  const away = switched(onCall('list', { kind: 'error', error }));
  dark.on = away.on = false;
  const daemon = virtualDaemon({ rules: [dark.rule, away.rule] });
  await daemon.submit(volumeText());
  await daemon.advance(5000);
  dark.on = away.on = true;
  await daemon.submit(volumeText());
  await daemon.advance(900_000);
  expect(daemon.condition('HostReachable')).toMatch(/^False/);
  away.on = false;
  const isBack = () => daemon.condition('HostReachable').startsWith('True');
  for (let seconds = 0; seconds < 300 && !isBack(); seconds += 1) await daemon.advance(1000);
  expect(isBack()).toBe(true);
  dark.on = false;
  await daemon.advance(10_000);
  expect(daemon.status()).toMatchObject({ sync: 'Synced' });
});

describe('a store that cannot be listed', () => {
  test('may hold what is to be deleted: nothing is in sync, nothing is empty, and consent is not used up', async () => {
    const error = new HostError('Unreachable', 'input/output error');
    const dark = switched(onCall('volumes.list', { kind: 'error', error }));
    dark.on = false;
    const daemon = virtualDaemon({ rules: [dark.rule] });
    await daemon.submit(volumeText() + secondaryText('web'));
    await daemon.advance(5000);
    dark.on = true;
    await daemon.submit(secondaryText('web'));
    await daemon.advance(60_000);
    expect(daemon.status()).toMatchObject({ sync: 'Unknown' });
    expect(daemon.condition('HostReachable')).toBe(
      'Unknown NotListed its Volumes: input/output error',
    );
    await daemon.control.drain(partition, 'uid 0');
    await daemon.advance(60_000);
    expect(daemon.condition('Draining')).toMatch(/^True Emptying/);
    dark.on = false;
    await daemon.advance(600_000);
    expect(daemon.condition('Draining')).toMatch(/^True Empty /);
    expect(daemon.world.volumes.get(partition)?.size ?? 0).toBe(0);
  });
});
