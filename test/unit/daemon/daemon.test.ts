/** What a tenant and an operator see of the daemon, on a simulated host and a virtual clock. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { onCall } from '../../support/simulation.ts';
import { secondaryNamed, secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';
import { partition } from '../../support/passes.ts';

describe('what was accepted', () => {
  test('is made real, and looked at once more', async () => {
    const daemon = virtualDaemon();
    await daemon.advance(0);
    expect(daemon.condition('Accepted')).toMatch(/^False NothingYet/);
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({
      status: 'accepted',
      bundle: { generation: 1 },
    });
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(daemon.status()).toMatchObject({ generation: 1, sync: 'Synced', health: 'Healthy' });
    expect(daemon.condition('Ready')).toBe('True Healthy');
  });

  test('costs no write once it is so', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const writes = daemon.writes.length;
    const files = daemon.runtime.files.writes;
    await daemon.advance(3_600_000);
    expect(daemon.writes.length).toBe(writes);
    expect(daemon.runtime.files.writes).toEqual(files);
    expect(daemon.status().lastPass?.because).toEqual(['resync']);
  });

  test('outlives the daemon', async () => {
    const first = virtualDaemon();
    await first.submit(secondaryText('web'));
    await first.advance(1000);
    const runtime = first.crash();
    const second = virtualDaemon({ runtime, world: first.world });
    await second.advance(1000);
    expect(second.words('web')).toBe('Running Synced Healthy');
    expect(second.status().generation).toBe(1);
    expect(second.writes).toEqual([]);
  });

  test('stays in force when something invalid comes', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    const result = await daemon.submit(secondaryText('web', { spec: { vcpus: 'many' } }));
    expect(result).toMatchObject({ status: 'refused', code: 'Invalid' });
    await daemon.advance(400_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('is not replaced by what another source says', async () => {
    const daemon = virtualDaemon({ source: 'Directory' });
    await daemon.advance(0);
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ code: 'NotTheSource' });
  });

  test('comes back with a rollback', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.advance(1000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    const result = await daemon.control.rollback(
      partition,
      { generation: 1, ifGeneration: null },
      'uid 0',
    );
    expect(result).toMatchObject({ status: 'accepted', bundle: { generation: 3, rollbackOf: 1 } });
    await daemon.advance(60_000);
    expect(daemon.words('db')).toBe('absent');
  });

  test('deletes nothing by being empty', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.submit('');
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('Running Blocked Healthy');
    await daemon.submit('', { deleteEverything: true });
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('absent');
  });
});

describe('drift', () => {
  test('is repaired when the host says so', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const [domain] = daemon.world.domains.values();
    if (domain === undefined) throw new Error('no domain');
    domain.guest = null;
    domain.stopReason = 'powered-off';
    daemon.hosts.touch({
      kind: 'domain',
      domainName: domain.domainName,
      uuid: domain.uuid,
      event: 'stopped',
    });
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(daemon.events).toContainEqual(
      expect.objectContaining({ kind: 'pass-finished', drift: ['power'] }),
    );
  });

  test('is repaired at the next look if the host says nothing', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    daemon.world.domains.clear();
    await daemon.advance(300_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a host that does not answer', () => {
  test('changes nothing but what is said, and is looked for with growing waits', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const writes = daemon.writes.length;
    daemon.hosts.lose('libvirtd is gone');
    await daemon.advance(3_600_000);
    expect(daemon.condition('HostReachable')).toMatch(/^False NoAnswer.*libvirtd is gone/);
    expect(daemon.status().sync).toBe('Unknown');
    expect(daemon.writes.length).toBe(writes);
    // At 1, 2, 4 ... 300 s, each cut by a quarter.
    const looks = daemon.events.filter(({ kind }) => kind === 'pass-started').length;
    expect(looks).toBeLessThan(40);
    daemon.hosts.restore();
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(daemon.condition('HostReachable')).toBe('True Answers');
  });
});

describe('what fails', () => {
  test('is tried again with growing waits, then given up, and keeps nobody waiting', async () => {
    const refuses = onCall(
      'start',
      { kind: 'error', error: new HostError('Refused', 'no space') },
      'unnest.team-a.web',
    );
    const daemon = virtualDaemon({ rules: [refuses] });
    await daemon.submit(secondaryText('db') + secondaryText('web'));
    await daemon.advance(1000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(daemon.words('web')).toMatch(/Degraded$/);
    await daemon.advance(3_600_000);
    const tries = daemon.writes.filter((each) => each === 'start unnest.team-a.web');
    expect(tries).toHaveLength(5);
    expect(daemon.condition('GaveUp', 'web')).toMatch(/^True Failed/);
    await daemon.control.retry(partition, 'uid 0');
    await daemon.advance(500);
    expect(daemon.writes.filter((each) => each === 'start unnest.team-a.web').length).toBe(
      tries.length + 1,
    );
  });
});

describe('a guest that ends again and again', () => {
  const ends = secondaryText('web', { commandLine: 'unnest.do=poweroff@1' });

  test('is started ever more seldom', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(ends);
    for (let seconds = 0; seconds < 3600; seconds += 1) {
      await daemon.advance(1000);
      daemon.supervisor.wakeAll('host-event');
    }
    const starts = daemon.writes.filter((each) => each.startsWith('start '));
    expect(starts.length).toBeGreaterThan(8);
    expect(starts.length).toBeLessThan(20);
    expect(daemon.condition('CrashLoop', 'web')).toMatch(/^True/);
    expect(daemon.words('web')).toBe('CrashLoop Blocked Degraded');
  });

  test('that has shut itself down is left alone if its policy says so', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(
      secondaryText('web', {
        commandLine: 'unnest.do=poweroff@1',
        spec: { runPolicy: 'RerunOnFailure' },
      }),
    );
    await daemon.advance(400_000);
    expect(daemon.writes.filter((each) => each.startsWith('start '))).toHaveLength(1);
    expect(daemon.words('web')).toBe('Stopped Synced Healthy');
  });
});

describe('what people ask for', () => {
  test('of a Secondary that there is not is refused', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const hold = { secondary: secondaryNamed('wbe'), reason: 'r', submitter: 'u', expiresAt: null };
    const refusal = { status: 'refused', code: 'NoSuchSecondary' };
    expect(await daemon.control.pause(partition, hold)).toMatchObject(refusal);
    expect(await daemon.control.resume(partition, hold.secondary, 'u')).toMatchObject(refusal);
  });

  test('of a paused one waits, and that is said', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const hold = { secondary: null, reason: 'r', submitter: 'u', expiresAt: null };
    await daemon.control.pause(partition, hold);
    await daemon.advance(1000);
    expect(daemon.status().health).toBe('Suspended');
    const asked = await daemon.control.power(partition, secondaryNamed('web'), 'restart', 'u');
    expect(asked).toMatchObject({ message: 'web is to restart, once it is no longer paused' });
  });

  test('a pause leaves it alone until it expires', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const expiresAt = new Date(daemon.runtime.clock.wall() + 600_000).toISOString();
    const hold = { secondary: null, reason: 'an upgrade', submitter: 'uid 0', expiresAt };
    expect(await daemon.control.pause(partition, hold)).toMatchObject({ status: 'ok' });
    daemon.world.domains.clear();
    await daemon.advance(590_000);
    expect(daemon.world.domains.size).toBe(0);
    expect(daemon.condition('Paused')).toMatch(/^True Held paused by uid 0 until .*: an upgrade$/);
    await daemon.advance(20_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('a pause of one leaves the others in care', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.advance(1000);
    const hold = { reason: 'mine', submitter: 'uid 0', expiresAt: null };
    await daemon.control.pause(partition, { ...hold, secondary: secondaryNamed('web') });
    daemon.world.domains.clear();
    await daemon.advance(400_000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(daemon.world.domains.size).toBe(1);
    await daemon.control.resume(partition, secondaryNamed('web'), 'uid 0');
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('a restart is done once', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    expect(
      await daemon.control.power(partition, secondaryNamed('web'), 'restart', 'uid 0'),
    ).toMatchObject({
      status: 'ok',
    });
    await daemon.advance(400_000);
    const starts = daemon.writes.filter((each) => each.startsWith('start '));
    expect(starts).toHaveLength(2);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('a restart that was asked for before a crash is not done twice', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    await daemon.control.power(partition, secondaryNamed('web'), 'restart', 'uid 0');
    await daemon.runtime.settle();
    const second = virtualDaemon({ runtime: daemon.crash(), world: daemon.world });
    await second.advance(400_000);
    const all = [...daemon.writes, ...second.writes].filter((each) => each.startsWith('start '));
    expect(all).toHaveLength(2);
  });

  test('a stop is refused where the document would start it again', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    expect(
      await daemon.control.power(partition, secondaryNamed('web'), 'stop', 'uid 0'),
    ).toMatchObject({
      status: 'refused',
      code: 'RunPolicy',
    });
  });

  test('a Manual one is started and stopped', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Manual' } }));
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Stopped Synced Healthy');
    await daemon.control.power(partition, secondaryNamed('web'), 'start', 'uid 0');
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    await daemon.control.power(partition, secondaryNamed('web'), 'stop', 'uid 0');
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('Stopped Synced Healthy');
  });

  test('a partition is emptied, and takes no documents while it is', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.advance(1000);
    await daemon.control.drain(partition, 'uid 0');
    await daemon.advance(60_000);
    expect(daemon.world.domains.size).toBe(0);
    expect(daemon.condition('Draining')).toMatch(/^True Empty asked for by uid 0/);
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ code: 'Draining' });
    await daemon.control.resume(partition, null, 'uid 0');
    await daemon.advance(1000);
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ status: 'accepted' });
    await daemon.advance(1000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a partition', () => {
  test('that somebody else changes waits for the lock', async () => {
    const locked = new Set<string>([partition]);
    const daemon = virtualDaemon({ locked });
    await daemon.advance(10_000);
    expect(daemon.condition('Accepted')).toMatch(/^Unknown NotOpen another process/);
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ code: 'NotStored' });
    locked.clear();
    await daemon.advance(10_000);
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ status: 'accepted' });
  });

  test('that is not described any more is let go, with what it has', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    daemon.describe('Apply', []);
    await daemon.advance(600_000);
    expect(daemon.control.partitions()).toEqual([]);
    expect(daemon.world.domains.size).toBe(1);
    expect(daemon.events.at(-1)).toMatchObject({ kind: 'partition-removed' });
  });
});
