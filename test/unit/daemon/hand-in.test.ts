/** Images that are handed in while a daemon runs: uploads, words about disks, and what became of them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import { lentDisk, lentImageDisk } from '../../../src/model/intake.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { installation, partition } from '../../support/passes.ts';
import { simulatedPrimary, worldOf } from '../../support/simulation.ts';
import {
  descriptionOf,
  virtualDaemon,
  type VirtualDaemon,
  type VirtualDaemonOptions,
} from '../../support/virtual-daemon.ts';

const debian = 'debian' as ImageName;
const { signal: never } = new AbortController();
const digest = `sha256:${'a'.repeat(64)}`;
const MiB = 2 ** 20;
const { alias } = lentDisk({ installation, partition }, debian);

const imageText = (source: string, of = digest) => `apiVersion: unnest.dev/v1
kind: Image
metadata: { name: debian }
spec: { digest: "${of}", format: raw, source: { ${source} } }
`;
const uploaded = imageText(`upload: { bytes: ${2 * MiB} }`);
const handedOver = imageText(`handOver: { bytes: ${MiB} }`);
const offDisk = (path = 'images/debian') =>
  imageText(`imageDisk: { path: ${path}, bytes: ${MiB}, mode: move }`);

let daemon: VirtualDaemon;
let areOthers = false;
let isFull = false;
let isIntakeKept = false;
let gate = Promise.resolve();
const world = () => worldOf({ files: ['vmlinuz'], primaries: { vm: simulatedPrimary() } });
const begin = (more: VirtualDaemonOptions = {}) => {
  daemon = virtualDaemon({
    world: world(),
    rules: [otherBytes, tooFull, keepingIntakes],
    latency: async ({ name }) => (name === 'images.list' ? gate : undefined),
    ...more,
  });
  describeIt(['handOver']);
};
const describeIt = (grants: readonly string[], more: object = {}) => {
  const primary = { domain: 'vm', reserved: { vcpus: 1, memory: '256MiB' }, grants, ...more };
  daemon.supervisor.describe(new Map([descriptionOf(partition, { primary })]));
};
const withImageDisk = () => describeIt(['imageDisk'], { imageDisk: { size: '64MiB' } });
const { alias: diskAlias } = lentImageDisk({ installation, partition });
beforeEach(() => {
  areOthers = false;
  isFull = false;
  isIntakeKept = false;
  gate = Promise.resolve();
  begin();
});
afterEach(() => daemon.close());

const phase = () => {
  const found = daemon.status().resources.find(({ kind }) => kind === 'image');
  return `${found?.phase} ${found?.message}`.trim();
};
const upload = (atByte: number, length: number) =>
  daemon.control.upload(partition, debian, atByte, new Uint8Array(length));
const lent = () => daemon.world.primaries.get('vm')?.lentDisks ?? [];
const settle = async () => {
  await daemon.runtime.settle();
  await daemon.advance(5000);
};
const said = async () => {
  const answer = await daemon.control.imageWritten(partition, debian, 'vm', never);
  await settle();
  return answer;
};
/** Importing fails as it does where the bytes are others. */
const otherBytes: FaultRule = ({ name }) =>
  areOthers && (name === 'images.import' || name === 'images.verify')
    ? { kind: 'error', error: new HostError('Refused', 'they are others') }
    : null;

const tooFull: FaultRule = ({ name }) =>
  isFull && name === 'imageDisks.rework'
    ? { kind: 'error', error: new HostError('Refused', 'it is too full') }
    : null;

const keepingIntakes: FaultRule = ({ name }) =>
  isIntakeKept && name === 'intakes.delete'
    ? { kind: 'error', error: new HostError('Unreachable', 'it stays for now') }
    : null;

test('an upload is taken in, looked into by itself, and said to be ready', async () => {
  await daemon.submit(uploaded);
  await settle();
  expect(phase()).toMatch(/^Pending AwaitingBytes: 0 of 2097152 bytes have been uploaded/);
  expect(await daemon.control.image(partition, debian)).toMatchObject({
    status: 'ok',
    image: {
      phase: 'Pending',
      source: 'upload',
      sizeBytes: 2 * MiB,
      receivedBytes: 0,
      serial: null,
      handedOver: null,
    },
  });
  expect(await upload(0, MiB)).toEqual({
    status: 'ok',
    receivedBytes: MiB,
    sizeBytes: 2 * MiB,
  });
  await settle();
  expect(phase()).toMatch(/^Pending/);
  await upload(MiB, MiB);
  await settle();
  expect(phase()).toBe('Ready');
  expect(daemon.condition('Synced')).toMatch(/^True/);
});

test('what is not to come next is refused, and nothing is lost', async () => {
  await daemon.submit(uploaded);
  await settle();
  await upload(0, MiB);
  expect(await upload(1, MiB)).toMatchObject({ status: 'refused', code: 'NotTaken' });
  expect(await upload(MiB, 2 * MiB)).toMatchObject({ status: 'refused', code: 'NotTaken' });
  expect(await upload(MiB, MiB)).toMatchObject({ status: 'ok', receivedBytes: 2 * MiB });
});

test('an upload that is no good says why, and others that come are tried at once', async () => {
  areOthers = true;
  await daemon.submit(uploaded);
  await settle();
  await upload(0, 2 * MiB);
  await settle();
  expect(phase()).toMatch(/^Rejected .*they are others/);
  areOthers = false;
  await upload(0, 2 * MiB);
  await settle();
  expect(phase()).toBe('Ready');
});

test('an upload in the place of other bytes costs them only if it is good', async () => {
  await daemon.submit(uploaded);
  await settle();
  await upload(0, 2 * MiB);
  await settle();
  const there = () => daemon.world.images.get(partition)?.get(debian);
  await daemon.submit(imageText(`upload: { bytes: ${2 * MiB} }`, `sha256:${'b'.repeat(64)}`));
  await settle();
  areOthers = true;
  await upload(0, 2 * MiB);
  await settle();
  expect(phase()).toMatch(/^Rejected .*they are others/);
  expect(there()).toMatchObject({ state: 'ready', digest });
  areOthers = false;
  await upload(0, 2 * MiB);
  await settle();
  expect(phase()).toBe('Ready');
  expect(there()).toMatchObject({ state: 'ready', digest: `sha256:${'b'.repeat(64)}` });
});

test('a disk in the place of other bytes is lent again if it was no good', async () => {
  await daemon.submit(handedOver);
  await settle();
  await said();
  expect(phase()).toBe('Ready');
  await daemon.submit(imageText(`handOver: { bytes: ${MiB} }`, `sha256:${'b'.repeat(64)}`));
  await settle();
  areOthers = true;
  await said();
  expect(phase()).toMatch(/^Rejected .*they are others; AwaitingBytes: its Primary is to write it/);
  expect(lent()).toEqual([alias]);
  expect(daemon.world.images.get(partition)?.get(debian)).toMatchObject({ state: 'ready', digest });
});

test('a disk is lent, and taken back when its Primary says that it is written', async () => {
  await daemon.submit(handedOver);
  await settle();
  expect(lent()).toEqual([alias]);
  expect(await daemon.control.image(partition, debian)).toMatchObject({
    image: { source: 'handOver', serial: 'debian', receivedBytes: null },
  });
  expect(await said()).toMatchObject({ status: 'ok' });
  expect(phase()).toBe('Ready');
  expect(lent()).toEqual([]);
});

test('a disk that was no good is lent again, and what was wrong stays said', async () => {
  areOthers = true;
  await daemon.submit(handedOver);
  await settle();
  await said();
  expect(phase()).toMatch(/^Rejected .*they are others; AwaitingBytes: its Primary is to write it/);
  expect(lent()).toEqual([alias]);
  areOthers = false;
  await said();
  expect(phase()).toBe('Ready');
});

test('a word about a disk outlives the daemon that has heard it', async () => {
  const primary = daemon.world.primaries.get('vm');
  await daemon.submit(handedOver);
  await settle();
  if (primary !== undefined) primary.releasesAfterMs = null;
  await said();
  expect(phase()).toMatch(/^(?:Rejected|Importing)/);
  const after = daemon.world;
  begin({ runtime: daemon.crash(), world: after });
  if (primary !== undefined) {
    primary.releasesAfterMs = 0;
    primary.unplugging = null;
  }
  await settle();
  await settle();
  expect(phase()).toBe('Ready');
});

test('a word counts for the bytes that were meant, and for no others', async () => {
  await daemon.submit(handedOver);
  await settle();
  const primary = daemon.world.primaries.get('vm');
  if (primary !== undefined) primary.releasesAfterMs = null;
  await said();
  await daemon.submit(imageText(`handOver: { bytes: ${MiB} }`, `sha256:${'b'.repeat(64)}`));
  if (primary !== undefined) {
    primary.releasesAfterMs = 0;
    primary.unplugging = null;
  }
  await daemon.control.retry(partition, 'uid 0');
  await settle();
  expect(phase()).toMatch(/^Pending .*by-id/);
  expect(lent()).toEqual([alias]);
});

test('a word is used up: another Image of the same bytes is handed over anew', async () => {
  await daemon.submit(handedOver);
  await settle();
  await said();
  expect(phase()).toBe('Ready');
  await daemon.submit('# nothing', { deleteEverything: true });
  await settle();
  await daemon.submit(handedOver);
  await settle();
  expect(phase()).toMatch(/^Pending .*by-id/);
  expect(lent()).toEqual([alias]);
});

test('a word that was never judged goes with its documents', async () => {
  const primary = daemon.world.primaries.get('vm');
  await daemon.submit(handedOver);
  await settle();
  if (primary !== undefined) primary.releasesAfterMs = null;
  await said();
  await daemon.submit('# nothing', { deleteEverything: true });
  if (primary !== undefined) {
    primary.releasesAfterMs = 0;
    primary.unplugging = null;
  }
  await daemon.control.retry(partition, 'uid 0');
  await settle();
  await daemon.submit(handedOver);
  await settle();
  expect(phase()).toMatch(/^Pending .*by-id/);
  expect(lent()).toEqual([alias]);
});

test('a file is taken off the image disk when its Primary says that it is unmounted, and once', async () => {
  withImageDisk();
  await daemon.submit(offDisk());
  await settle();
  expect(lent()).toEqual([diskAlias]);
  expect(phase()).toMatch(/^Pending AwaitingBytes: .*unnest hand-over debian/);
  expect(await daemon.control.image(partition, debian)).toMatchObject({
    image: { source: 'imageDisk', serial: 'unnest-images', sizeBytes: MiB, receivedBytes: null },
  });
  expect(await said()).toMatchObject({
    status: 'ok',
    message: expect.stringMatching(/image disk/),
  });
  expect(phase()).toBe('Ready');
  expect(lent()).toEqual([diskAlias]);
  expect(daemon.world.imageDisks.get(partition)).toMatchObject({ sizeBytes: 63 * MiB });
  // The word is used up: nobody takes the disk for the next one that comes.
  await daemon.submit('# nothing', { deleteEverything: true });
  await settle();
  await daemon.submit(offDisk());
  await settle();
  expect(phase()).toMatch(/^Pending/);
  expect(daemon.condition('Synced')).not.toMatch(/^Unknown/);
});

test('a file that is not on the image disk says so, and the disk is back, and not taken again', async () => {
  withImageDisk();
  await daemon.submit(offDisk('missing/debian'));
  await settle();
  await said();
  expect(phase()).toMatch(/^Rejected .*there is no such file/);
  expect(lent()).toEqual([diskAlias]);
  const takes = () => daemon.writes.filter((each) => each.startsWith('primaries.takeBack')).length;
  const before = takes();
  await daemon.advance(3_600_000);
  expect(takes()).toBe(before);
  await daemon.submit(offDisk());
  await settle();
  await said();
  expect(phase()).toBe('Ready');
});

test('an image disk that does not get smaller is back, says why, and is not taken for that', async () => {
  withImageDisk();
  await daemon.submit(offDisk());
  await settle();
  isFull = true;
  await said();
  expect(phase()).toBe('Ready');
  expect(lent()).toEqual([diskAlias]);
  const disk = () => daemon.status().resources.find(({ kind }) => kind === 'image-disk')?.message;
  expect(disk()).toMatch(/too full/);
  const calls = () => daemon.writes.length;
  const before = calls();
  await daemon.advance(3_600_000);
  expect(calls()).toBe(before);
  isFull = false;
  Object.assign(daemon.world.primaries.get('vm') ?? {}, { lentDisks: [] });
  await daemon.control.retry(partition, 'uid 0');
  await settle();
  await settle();
  expect(daemon.world.imageDisks.get(partition)).toMatchObject({ sizeBytes: 63 * MiB });
  expect(lent()).toEqual([diskAlias]);
  expect(disk()).toBe('');
});

test('a partition that is emptied leaves no image disk', async () => {
  withImageDisk();
  await daemon.submit('# nothing');
  await settle();
  expect(lent()).toEqual([diskAlias]);
  await daemon.control.drain(partition, 'uid 0');
  await settle();
  expect(lent()).toEqual([]);
  expect(daemon.world.imageDisks.size).toBe(0);
});

test('a partition that is emptied leaves no disk with its Primary', async () => {
  await daemon.submit(handedOver);
  await settle();
  expect(lent()).toEqual([alias]);
  await daemon.control.drain(partition, 'uid 0');
  await settle();
  expect(lent()).toEqual([]);
  expect(daemon.world.intakes.get(partition)?.size).toBe(0);
});

test('an upload wakes nobody before all of it is there', async () => {
  await daemon.submit(uploaded);
  await settle();
  const passes = () => daemon.events.filter(({ kind }) => kind === 'pass-started').length;
  const before = passes();
  for (let count = 0; count < 10; count += 1) await upload(0, 1);
  await daemon.runtime.settle();
  expect(passes()).toBe(before);
});

test('what was given up is tried again when its Primary says that it is written anew', async () => {
  await daemon.close();
  begin({ attemptsMax: 1 });
  await daemon.submit(handedOver);
  await settle();
  areOthers = true;
  await said();
  expect(phase()).toMatch(/^Rejected/);
  areOthers = false;
  await said();
  expect(phase()).toBe('Ready');
});

test('no bytes go where those of before came in', async () => {
  await daemon.submit(uploaded);
  await settle();
  await upload(0, MiB);
  isIntakeKept = true;
  await daemon.submit(imageText(`upload: { bytes: ${3 * MiB} }`));
  await settle();
  const none = { status: 'refused', code: 'AwaitingBytes' };
  expect(await upload(0, MiB)).toMatchObject(none);
  expect(await upload(MiB, MiB)).toMatchObject(none);
  expect(await daemon.control.image(partition, debian)).toMatchObject({
    image: { sizeBytes: 3 * MiB, receivedBytes: null },
  });
  isIntakeKept = false;
  await daemon.control.retry(partition, 'uid 0');
  await settle();
  expect(await daemon.control.image(partition, debian)).toMatchObject({
    image: { sizeBytes: 3 * MiB, receivedBytes: 0 },
  });
  expect(await upload(0, MiB)).toMatchObject({ status: 'ok', receivedBytes: MiB });
});

test('what was found of the bytes of before is not said of those that have come', async () => {
  areOthers = true;
  await daemon.submit(uploaded);
  await settle();
  await upload(0, 2 * MiB);
  await settle();
  expect(phase()).toMatch(/^Rejected/);
  // The first piece wakes nobody; the last one comes while no pass has looked at them.
  await upload(0, MiB);
  expect(phase()).toMatch(/^Rejected/);
  const uploading = daemon.control.upload(partition, debian, MiB, new Uint8Array(MiB));
  const before = daemon.statuses.length;
  await uploading;
  expect(daemon.statuses.length).toBeGreaterThan(before);
  const [next] = daemon.statuses.slice(before);
  expect(next?.resources.find(({ kind }) => kind === 'image')?.phase).not.toBe('Rejected');
});

test('of documents that were not looked at yet nothing is said but that', async () => {
  await daemon.submit(uploaded);
  await settle();
  await upload(0, 2 * MiB);
  await settle();
  const imageOf = () => daemon.control.image(partition, debian);
  expect(await imageOf()).toMatchObject({ image: { phase: 'Ready' } });
  let open: () => void = () => undefined;
  gate = new Promise((done) => (open = done));
  await daemon.submit(imageText(`upload: { bytes: ${2 * MiB} }`, `sha256:${'b'.repeat(64)}`));
  expect(await imageOf()).toMatchObject({ image: { phase: 'Pending', receivedBytes: null } });
  open();
});

test('the disk of other bytes is not named to whoever asks where to write', async () => {
  await daemon.submit(handedOver);
  await settle();
  expect(await daemon.control.image(partition, debian)).toMatchObject({
    image: { serial: 'debian' },
  });
  isIntakeKept = true;
  await daemon.submit(imageText(`handOver: { bytes: ${2 * MiB} }`));
  await settle();
  expect(await daemon.control.image(partition, debian)).toMatchObject({ image: { serial: null } });
});

test('of what no document speaks nothing is taken in', async () => {
  await daemon.submit(uploaded);
  await settle();
  const other = 'other' as ImageName;
  expect(await daemon.control.image(partition, other)).toMatchObject({ code: 'NoSuchImage' });
  expect(await daemon.control.upload(partition, other, 0, new Uint8Array(1))).toMatchObject({
    code: 'NoSuchImage',
  });
  expect(await daemon.control.imageWritten(partition, other, 'vm', never)).toMatchObject({
    code: 'NoSuchImage',
  });
  expect(await daemon.control.imageWritten(partition, debian, 'vm', never)).toMatchObject({
    code: 'NotHandedOver',
  });
  await daemon.submit(handedOver);
  await settle();
  expect(await upload(0, 1)).toMatchObject({ code: 'NotUploaded' });
});
