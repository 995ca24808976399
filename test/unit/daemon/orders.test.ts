/** What was ordered last holds, also for a pass and a reading that are under way. */
import { describe, expect, test } from 'vitest';
import { partition } from '../../support/passes.ts';
import {
  folder,
  holdOf,
  passes,
  power,
  runIdIn,
  slowFiles,
  slowParser,
  stuckText,
  volumeText,
  writesOf,
} from '../../support/daemon-orders.ts';
import {
  secondaryText,
  submitted,
  virtualDaemon,
  type VirtualDaemon,
} from '../../support/virtual-daemon.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';

const volumes = ({ world }: VirtualDaemon) => world.volumes.get(partition)?.size ?? 0;
const drain = ({ control }: VirtualDaemon) => control.drain(partition, 'uid 0');
const resume = ({ control }: VirtualDaemon) => control.resume(partition, null, 'uid 0');
const pause = ({ control }: VirtualDaemon, name: string | null) =>
  control.pause(partition, holdOf(name));
const accepted = ({ events }: VirtualDaemon) =>
  events.flatMap((event) => (event.kind === 'submission-accepted' ? [event.source] : []));

describe('an order that comes during a pass', () => {
  const web = stuckText('web', { disks: [{ volume: 'data' }] });
  const all = web + secondaryText('keep') + volumeText();

  /** Its guest is being stopped, and its Volume is to go after it. */
  async function deleting(how: 'documents' | 'drain') {
    const daemon = virtualDaemon();
    await daemon.submit(all);
    await daemon.advance(5000);
    if (how === 'drain') await drain(daemon);
    else await daemon.submit(secondaryText('keep'));
    await daemon.advance(1000);
    expect(writesOf(daemon, 'shutdown unnest.team-a.web')).not.toEqual([]);
    return daemon;
  }

  test.each([
    ['documents that want it again', 'documents', (daemon) => daemon.submit(all)],
    ['a pause', 'documents', (daemon) => pause(daemon, null)],
    ['a resume', 'drain', resume],
  ] as [string, 'documents' | 'drain', (daemon: VirtualDaemon) => Promise<unknown>][])(
    'keeps a guest and its data: %s',
    async (_what, how, order) => {
      const daemon = await deleting(how);
      await order(daemon);
      await daemon.advance(120_000);
      expect(writesOf(daemon, 'powerOff', 'undefine unnest.team-a.web', 'volumes.delete')).toEqual(
        [],
      );
      expect(volumes(daemon)).toBe(1);
    },
  );

  test('which it does not come into is carried out', async () => {
    const daemon = await deleting('documents');
    await daemon.advance(120_000);
    expect(volumes(daemon)).toBe(0);
  });

  test('leaves whom it pauses alone from then on', async () => {
    const daemon = virtualDaemon();
    const web = (vcpus: number) =>
      secondaryText('web', { spec: { updatePolicy: 'Restart', vcpus } });
    await daemon.submit(web(1) + stuckText('db'));
    await daemon.advance(2000);
    await daemon.submit(web(2) + stuckText('db', { runPolicy: 'Halted' }));
    await daemon.advance(1000);
    await pause(daemon, 'web');
    await daemon.advance(120_000);
    expect(writesOf(daemon, 'shutdown unnest.team-a.web', 'powerOff unnest.team-a.web')).toEqual(
      [],
    );
    expect(daemon.words('db')).toBe('Stopped Synced Healthy');
  });

  test('says of a pause from when on it is one', async () => {
    const daemon = await deleting('documents');
    expect(await pause(daemon, null)).toMatchObject({
      message: 'partition team-a is left alone as soon as what is under way has ended',
    });
    await daemon.advance(120_000);
    expect(await pause(daemon, null)).toMatchObject({ message: 'partition team-a is left alone' });
  });

  test('and hands in again what is in force has the host looked at', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(all);
    await daemon.advance(10_000);
    const before = passes(daemon);
    expect(await daemon.submit(all)).toMatchObject({ status: 'unchanged' });
    await daemon.advance(1000);
    expect(passes(daemon)).toBeGreaterThan(before);
  });

  test('ends the emptying of a partition that is paused', async () => {
    const daemon = virtualDaemon();
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    await daemon.submit(names.map((name) => stuckText(name)).join(''));
    await daemon.advance(5000);
    await drain(daemon);
    await daemon.advance(1000);
    await pause(daemon, null);
    await daemon.advance(600_000);
    expect(daemon.world.domains.size).toBe(8);
  });
});

describe('a drain', () => {
  test('that is ended says how its documents come back, and nothing else does', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(5000);
    await drain(daemon);
    await daemon.advance(60_000);
    const gone = /documents are gone: `unnest rollback` brings them back$/;
    expect(await resume(daemon)).toMatchObject({ message: expect.stringMatching(gone) });
    expect(await resume(daemon)).toMatchObject({ message: expect.not.stringMatching(gone) });
  });

  test('that is resumed before it has begun has deleted nothing', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.advance(1000);
    await pause(daemon, null);
    await drain(daemon);
    await daemon.advance(1000);
    await resume(daemon);
    await daemon.advance(600_000);
    expect(daemon.world.domains.size).toBe(2);
    expect(daemon.condition('Draining')).toBe('unsaid');
  });

  test('that is resumed half way deletes nothing more', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(stuckText('web') + stuckText('db') + secondaryText('app'));
    await daemon.advance(1000);
    await drain(daemon);
    await daemon.advance(100);
    await resume(daemon);
    await daemon.advance(600_000);
    expect(daemon.world.domains.size).toBeGreaterThanOrEqual(2);
    expect(writesOf(daemon, 'powerOff')).toEqual([]);
  });

  test('leaves no consent to delete what comes back later', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const backup = structuredClone([...daemon.world.domains]);
    await drain(daemon);
    await daemon.advance(60_000);
    await resume(daemon);
    await daemon.advance(60_000);
    for (const [uuid, domain] of backup) daemon.world.domains.set(uuid, domain);
    await daemon.advance(600_000);
    expect(daemon.world.domains.size).toBe(1);
    expect(daemon.condition('Blocked', 'web')).toMatch(/^True DeletesEverything/);
  });

  test('takes no documents that were handed in before it', async () => {
    const runtime = virtualRuntime();
    const parser = slowParser(2000, runtime.timers);
    const daemon = virtualDaemon({ runtime, parser });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    parser.slow = true;
    const both = submitted(secondaryText('web') + secondaryText('db'));
    const submitting = daemon.control.submit(partition, both);
    await runtime.settle();
    await drain(daemon);
    await daemon.advance(60_000);
    expect(await submitting).toMatchObject({ status: 'refused', code: 'Draining' });
    await resume(daemon);
    await daemon.advance(60_000);
    expect(daemon.world.domains.size).toBe(0);
  });

  test('of a paused partition is undone by one resume, at once', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.advance(1000);
    await pause(daemon, null);
    await drain(daemon);
    await daemon.advance(5000);
    const before = daemon.writes.length;
    slowFiles(daemon.runtime, 'replace', 'wishes', 20);
    const resuming = resume(daemon);
    for (let ms = 0; ms < 100; ms += 5) {
      daemon.supervisor.wakeAll('host-event');
      await daemon.advance(5);
    }
    await resuming;
    await daemon.advance(60_000);
    expect(daemon.writes.slice(before)).toEqual([]);
  });

  test('that is over lets the folder rule again', async () => {
    const daemon = virtualDaemon({ source: 'Directory' });
    daemon.runtime.disk.write(`${folder}/web.yaml`, secondaryText('web'));
    await daemon.advance(5000);
    await drain(daemon);
    await daemon.advance(60_000);
    expect(daemon.world.domains.size).toBe(0);
    await resume(daemon);
    await daemon.advance(60_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('a folder', () => {
  test('that was being read when another source came to rule changes nothing', async () => {
    const runtime = virtualRuntime();
    const parser = slowParser(1000, runtime.timers);
    const daemon = virtualDaemon({ runtime, source: 'Directory', parser });
    runtime.disk.write(`${folder}/web.yaml`, secondaryText('web'));
    runtime.disk.write(`${folder}/db.yaml`, secondaryText('db'));
    await daemon.advance(5000);
    runtime.disk.remove(`${folder}/web.yaml`);
    await daemon.advance(500);
    parser.slow = true;
    // What was taken away counts two seconds after: that is being read now.
    await daemon.advance(1800);
    parser.slow = false;
    const before = accepted(daemon).length;
    daemon.describe('Apply');
    await runtime.settle();
    await daemon.submit(['web', 'db', 'app'].map((name) => secondaryText(name)).join(''));
    await daemon.advance(60_000);
    expect(accepted(daemon).slice(before)).toEqual(['Apply']);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('consent to delete', () => {
  test('holds for the documents that it came with, and for no others', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.submit('');
    await daemon.advance(1000);
    expect(daemon.condition('Blocked', 'web')).toMatch(/^True DeletesEverything/);
    slowFiles(daemon.runtime, 'list', 'accepted', 3000);
    const more = { deleteEverything: true, deletionsMax: 5 };
    const submitting = daemon.control.submit(partition, {
      ...submitted(secondaryText('web')),
      ...more,
    });
    await daemon.runtime.settle();
    daemon.supervisor.wakeAll('host-event');
    await daemon.advance(60_000);
    expect(await submitting).toMatchObject({ status: 'accepted' });
    expect(writesOf(daemon, 'undefine')).toEqual(['undefine unnest.team-a.db']);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

describe('an end of the daemon', () => {
  test('leaves no guest lying that it has stopped only to start it again', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(stuckText('web'));
    await daemon.advance(2000);
    await power(daemon, 'web', 'restart');
    await daemon.advance(2000);
    const before = runIdIn(daemon, 'web');
    const closing = daemon.supervisor.close();
    await daemon.advance(600_000);
    await closing;
    expect(writesOf(daemon, 'powerOff')).toEqual(['powerOff unnest.team-a.web']);
    expect(runIdIn(daemon, 'web')).not.toBeNull();
    expect(runIdIn(daemon, 'web')).not.toBe(before);
  });
});
