/** What unnestd says and does about a disk that a guest does not let go of. */
import { expect, test } from 'vitest';
import { domainIn, volumeText, writesOf } from '../../support/daemon-orders.ts';
import { secondaryText, type VirtualDaemon, virtualDaemon } from '../../support/virtual-daemon.ts';

const hourMs = 3_600_000;
const having = { spec: { disks: [{ volume: 'data' }] } };
const documents = (a: string, b: string) => volumeText() + a + b;
const deaf = 'acpiphp.disable=1';

const a = (spec = {}) => secondaryText('a', { commandLine: deaf, ...spec });
const disksOf = (daemon: VirtualDaemon, name: string) =>
  domainIn(daemon, name).guest?.fields.volumes;

test('it says which, asks again, gives it to nobody, and goes on once it is let go of', async () => {
  const daemon = virtualDaemon();
  await daemon.submit(documents(a(having), secondaryText('b')));
  await daemon.advance(1000);
  expect(daemon.words('a')).toBe('Running Synced Healthy');
  await daemon.submit(documents(a(), secondaryText('b', having)));
  // It was waited for twenty seconds.
  await daemon.advance(20_100);
  const refusal = 'the guest of unnest.team-a.a has not let go of Volume data after 20 s';
  expect(daemon.words('a')).toMatch(/Degraded$/);
  expect(daemon.condition('Ready', 'a')).toContain(refusal);
  expect(daemon.condition('Synced', 'b')).toContain(`waits for secondary a: Timeout: ${refusal}`);
  await daemon.advance(hourMs);
  expect(daemon.condition('GaveUp', 'a')).toMatch(/^True Failed/);
  expect(daemon.condition('Blocked', 'b')).toMatch(
    new RegExp(`^True VolumeInUse a still runs, or is saved, with Volume data.*${refusal}`),
  );
  expect([disksOf(daemon, 'a'), disksOf(daemon, 'b')]).toEqual(['data:raw', '']);
  expect(writesOf(daemon, 'shutdown', 'powerOff', 'volumes.delete')).toEqual([]);
  // As when its guest resets, of which libvirt tells.
  const { guest } = domainIn(daemon, 'a');
  if (guest !== null) guest.fields = { ...guest.fields, volumes: '' };
  daemon.supervisor.wakeAll('host-event');
  await daemon.advance(1000);
  expect(disksOf(daemon, 'b')).toBe('data:raw');
  expect(['a', 'b'].map((name) => daemon.words(name))).toEqual([
    'Running Synced Healthy',
    'Running Synced Healthy',
  ]);
});

test('it is never deleted under it, and one that wants it back has it still', async () => {
  const daemon = virtualDaemon();
  await daemon.submit(documents(a(having), ''));
  await daemon.advance(1000);
  await daemon.submit(a());
  await daemon.advance(hourMs);
  expect(disksOf(daemon, 'a')).toBe('data:raw');
  expect(writesOf(daemon, 'volumes.delete')).toEqual([]);
  await daemon.submit(documents(a(having), ''));
  await daemon.advance(1000);
  expect(daemon.words('a')).toBe('Running Synced Healthy');
});
