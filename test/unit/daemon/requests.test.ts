/** What is asked for of one guest's power is done once, whenever it is asked, or is said to be void. */
import { describe, expect, test } from 'vitest';
import { partition } from '../../support/passes.ts';
import {
  domainIn,
  ends,
  holdOf,
  power,
  runIdIn,
  slowCall,
  slowFiles,
  writesOf,
} from '../../support/daemon-orders.ts';
import { secondaryText, virtualDaemon, type VirtualDaemon } from '../../support/virtual-daemon.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';

const web = (runPolicy: string) => secondaryText('web', { spec: { runPolicy } });
const pause = ({ control }: VirtualDaemon) => control.pause(partition, holdOf(null));
const resume = ({ control }: VirtualDaemon) => control.resume(partition, null, 'uid 0');
const starts = (daemon: VirtualDaemon) => writesOf(daemon, 'start unnest.team-a.web').length;

describe('a stop', () => {
  test('that is asked for while the guest is being started is done after it', async () => {
    const runtime = virtualRuntime();
    const latency = slowCall('start', 'web', 5000, runtime.timers);
    const daemon = virtualDaemon({ runtime, latency });
    await daemon.submit(web('Manual'));
    await daemon.advance(1000);
    await power(daemon, 'web', 'start');
    await daemon.advance(2000);
    expect(await power(daemon, 'web', 'stop')).toMatchObject({ status: 'ok' });
    await daemon.advance(600_000);
    expect(starts(daemon)).toBe(1);
    expect(daemon.words('web')).toBe('Stopped Synced Healthy');
  });
});

describe('a start', () => {
  test('of one that is still to be made waits until it is', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('app'));
    await daemon.advance(1000);
    await pause(daemon);
    await daemon.submit(secondaryText('app') + web('Manual'));
    await daemon.advance(1000);
    expect(await power(daemon, 'web', 'start')).toMatchObject({ status: 'ok' });
    await daemon.advance(1000);
    await resume(daemon);
    await daemon.advance(600_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('lets a guest go on that somebody has suspended', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(web('Manual'));
    await power(daemon, 'web', 'start');
    await daemon.advance(1000);
    const { guest } = domainIn(daemon, 'web');
    if (guest !== null) guest.state = 'paused';
    await daemon.advance(300_000);
    expect(daemon.words('web')).toMatch(/^Paused/);
    expect(await power(daemon, 'web', 'start')).toMatchObject({ status: 'ok' });
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('that cannot be taken off the disk is not done twice', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(web('Manual'));
    await daemon.advance(1000);
    await power(daemon, 'web', 'start');
    daemon.runtime.files.faults.push(({ call, path }) =>
      call === 'replace' && path.includes('wishes') ? 'NoSpace' : null,
    );
    await daemon.advance(5000);
    ends(daemon, 'web', 'guest-shutdown');
    await daemon.advance(600_000);
    expect(starts(daemon)).toBe(1);
    expect(daemon.words('web')).toBe('Stopped Synced Healthy');
    daemon.runtime.files.faults.length = 0;
    await power(daemon, 'web', 'start');
    await daemon.advance(5000);
    expect(starts(daemon)).toBe(2);
  });

  test('that the documents have come to forbid does not wait for others', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(web('Manual'));
    await daemon.advance(1000);
    await pause(daemon);
    await power(daemon, 'web', 'start');
    await daemon.submit(web('Halted'));
    await resume(daemon);
    await daemon.advance(86_400_000);
    await daemon.submit(web('Manual'));
    await daemon.advance(600_000);
    expect(starts(daemon)).toBe(0);
    expect(daemon.words('web')).toBe('Stopped Synced Healthy');
  });
});

test('who has come up is said to run while the pass still has others to wait for', async () => {
  const runtime = virtualRuntime();
  const latency = slowCall('start', 'other', 60_000, runtime.timers);
  const daemon = virtualDaemon({ runtime, latency });
  await daemon.submit(secondaryText('web') + secondaryText('other'));
  await daemon.advance(5000);
  expect(daemon.words('web')).toMatch(/^Running/);
  expect(daemon.words('other')).toMatch(/Progressing/);
});

describe('an order that documents have come to forbid while it was taken down', () => {
  test('does not wait for others', async () => {
    const runtime = virtualRuntime();
    const daemon = virtualDaemon({ runtime });
    await daemon.submit(web('Manual'));
    await daemon.advance(1000);
    await pause(daemon);
    slowFiles(runtime, 'replace', 'wishes', 3000);
    void power(daemon, 'web', 'start');
    await daemon.advance(1000);
    await daemon.submit(web('Halted'));
    await daemon.advance(10_000);
    void resume(daemon);
    await daemon.advance(10_000);
    await daemon.submit(web('Manual'));
    await daemon.advance(600_000);
    expect(starts(daemon)).toBe(0);
  });
});

describe('a restart', () => {
  test('that is asked for during the pass that has started the guest is another run', async () => {
    const runtime = virtualRuntime();
    const latency = slowCall('start', 'other', 30_000, runtime.timers);
    const daemon = virtualDaemon({ runtime, latency });
    await daemon.submit(secondaryText('web') + secondaryText('other'));
    await daemon.advance(5000);
    const before = runIdIn(daemon, 'web');
    expect(before).not.toBeNull();
    expect(await power(daemon, 'web', 'restart')).toMatchObject({ status: 'ok' });
    await daemon.advance(300_000);
    expect(runIdIn(daemon, 'web')).not.toBe(before);
    expect(starts(daemon)).toBe(2);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('before anybody has looked is refused, rather than forgotten', async () => {
    const first = virtualDaemon();
    await first.submit(secondaryText('web'));
    await first.advance(1000);
    const before = runIdIn(first, 'web');
    const runtime = first.crash();
    const latency = async () => runtime.timers.sleep(3000, new AbortController().signal);
    const second = virtualDaemon({ runtime, world: first.world, latency });
    await second.advance(1000);
    expect(await power(second, 'web', 'restart')).toMatchObject({ code: 'HostUnknown' });
    await second.advance(600_000);
    const asking = power(second, 'web', 'restart');
    await second.advance(600_000);
    expect(await asking).toMatchObject({ status: 'ok' });
    expect(runIdIn(second, 'web')).not.toBe(before);
  });
});
