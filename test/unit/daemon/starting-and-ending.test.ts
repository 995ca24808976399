/** How the daemon's care for a partition begins and ends: with what is known, and with nothing left. */
import { describe, expect, test } from 'vitest';
import type { PartitionName } from '../../../src/model/names.ts';
import { partition } from '../../support/passes.ts';
import {
  folder,
  holdOf,
  power,
  slowFiles,
  slowParser,
  stuckText,
} from '../../support/daemon-orders.ts';
import { onCall } from '../../support/simulation.ts';
import {
  secondaryNamed,
  secondaryText,
  submitted,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';
import { virtualUnnestd } from '../../support/virtual-unnestd.ts';

const halted = (name: string) => secondaryText(name, { spec: { runPolicy: 'Halted' } });

describe('a start', () => {
  /** What the folder held when the daemon ended, and its guest, which has shut itself down since. */
  async function yesterday() {
    const first = virtualDaemon({ source: 'Directory' });
    first.runtime.disk.write(`${folder}/web.yaml`, secondaryText('web'));
    await first.advance(5000);
    for (const domain of first.world.domains.values()) {
      domain.guest = null;
      domain.stopReason = 'guest-shutdown';
    }
    return { world: first.world, runtime: first.crash() };
  }

  test('acts on what the folder says now, not on what was in force before', async () => {
    const { world, runtime } = await yesterday();
    runtime.disk.write(`${folder}/web.yaml`, halted('web'));
    await runtime.advance(3_600_000);
    const second = virtualDaemon({ source: 'Directory', runtime, world });
    await second.advance(60_000);
    expect(second.writes).toEqual(['define unnest.team-a.web']);
    expect(second.words('web')).toBe('Stopped Synced Healthy');
  });

  test('waits for no folder that cannot be read', async () => {
    const { world, runtime } = await yesterday();
    const parser = slowParser(3_600_000, runtime.timers);
    parser.slow = true;
    const second = virtualDaemon({ source: 'Directory', runtime, world, parser });
    await second.advance(10_000);
    expect(second.words('web')).toBe('Running Synced Healthy');
  });

  test('is put off while it cannot be read who is to be left alone', async () => {
    const first = virtualDaemon();
    const db = secondaryText('db', { spec: { runPolicy: 'Manual' } });
    await first.submit(secondaryText('web') + db);
    await first.advance(1000);
    await first.control.pause(partition, holdOf('web'));
    await first.advance(100);
    first.world.domains.clear();
    const runtime = first.crash();
    let isBroken = true;
    runtime.files.faults.push(({ call, path }) =>
      isBroken && call === 'read' && path.includes('wishes') ? 'Failed' : null,
    );
    const second = virtualDaemon({ runtime, world: first.world });
    await second.advance(60_000);
    expect(second.condition('Accepted')).toMatch(/^Unknown NotOpen/);
    expect(second.writes).toEqual([]);
    isBroken = false;
    await second.advance(5000);
    await power(second, 'db', 'start');
    await second.advance(1000);
    const third = virtualDaemon({ runtime: second.crash(), world: first.world });
    await third.advance(5000);
    expect(third.words('db')).toBe('Running Synced Healthy');
    expect(third.condition('Paused', 'web')).toMatch(/^True Held/);
    await third.control.resume(partition, secondaryNamed('web'), 'uid 0');
    await third.advance(5000);
    expect(third.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a drain that cannot be written down', () => {
  test('is refused, and empties nothing, also later', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const { faults } = daemon.runtime.files;
    faults.push(({ call, path }) =>
      call === 'replace' && path.includes('/accepted/') ? 'NoSpace' : null,
    );
    slowFiles(daemon.runtime, 'replace', 'accepted', 5000);
    const draining = daemon.control.drain(partition, 'uid 0');
    await daemon.advance(1000);
    // Whatever else wakes it in the meantime.
    daemon.supervisor.wakeAll('host-event');
    await daemon.advance(10_000);
    expect(await draining).toMatchObject({ status: 'refused', code: 'NotStored' });
    faults.length = 0;
    await daemon.advance(60_000);
    await daemon.control.resume(partition, null, 'uid 0');
    await daemon.advance(60_000);
    expect(daemon.condition('Draining')).toBe('unsaid');
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(daemon.writes.filter((each) => each.startsWith('undefine'))).toEqual([]);
  });
});

describe('the lock of a partition', () => {
  const other = 'team-b' as PartitionName;

  test('is held until what was handed in before is answered', async () => {
    const log: string[] = [];
    const runtime = virtualRuntime();
    const parser = slowParser(1000, runtime.timers);
    const daemon = virtualDaemon({ runtime, parser, onRelease: (name) => log.push(name) });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    parser.slow = true;
    const submitting = daemon.control
      .submit(partition, submitted(secondaryText('late')))
      .then((result) => log.push(result?.status ?? 'none'));
    await runtime.settle();
    daemon.describe('Apply', []);
    await daemon.advance(3000);
    await submitting;
    expect(log).toEqual(['refused', partition]);
  });

  test('is held while anything is written, and nothing is after', async () => {
    const released: string[] = [];
    const daemon = virtualDaemon({
      partitions: [partition, other],
      onRelease: (name) => released.push(name),
    });
    const { world } = daemon;
    world.files.set(other, new Map(world.files.get(partition)));
    await daemon.submit(secondaryText('web'));
    await daemon.control.submit(other, submitted(stuckText('db')));
    await daemon.advance(3000);
    await daemon.control.submit(other, submitted(stuckText('db', { runPolicy: 'Halted' })));
    await daemon.advance(500);
    const closing = daemon.supervisor.close();
    await daemon.runtime.settle();
    expect(released).toEqual([partition]);
    const files = daemon.runtime.files.writes;
    const submitting = daemon.control.submit(partition, submitted(secondaryText('late')));
    await daemon.runtime.settle();
    expect(await submitting).toMatchObject({ status: 'refused', code: 'NotStored' });
    expect(daemon.runtime.files.writes).toBe(files);
    await daemon.advance(200_000);
    await closing;
    expect(released).toEqual([partition, other]);
  });
});

describe('an end of the daemon', () => {
  test('does not wait for a guest that takes its time', async () => {
    const unnestd = await virtualUnnestd();
    await unnestd.write(stuckText('web'));
    const spec = { terminationGracePeriodSeconds: 3600, runPolicy: 'Halted' };
    await unnestd.write(stuckText('web', spec));
    expect(await unnestd.secondsToClose()).toBe(20);
    const [web] = unnestd.world.domains.values();
    expect(web?.guest).not.toBeNull();
  });

  test('breaks off what does not answer, before systemd would', async () => {
    const unnestd = await virtualUnnestd({ rules: [onCall('start', { kind: 'hang' })] });
    await unnestd.write(secondaryText('web'));
    expect(await unnestd.secondsToClose()).toBe(60);
  });

  test('takes no time where nothing is under way', async () => {
    const unnestd = await virtualUnnestd();
    await unnestd.write(secondaryText('web'));
    expect(await unnestd.secondsToClose()).toBe(0);
  });
});
