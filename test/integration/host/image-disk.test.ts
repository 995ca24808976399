/**
 * A real Primary has an image disk: it mounts that, writes a file to it, unmounts it and says so; the file becomes
 * an Image that a Secondary boots from, and the disk is smaller by as much, and larger again once that is gone.
 */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Open, openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import type { Host } from '../../../src/host/ports.ts';
import { lentImageDisk } from '../../../src/model/intake.ts';
import type { ImageName } from '../../../src/model/names.ts';
import type { DesiredState, Secondary } from '../../../src/model/secondary.ts';
import { type Taking, useOf } from '../../../src/model/volume.ts';
import { bootableDisk } from '../../support/bootable-disk.ts';
import { virsh } from '../../support/cli.ts';
import { digestOf } from '../../support/digest.ts';
import {
  desiredWith,
  image,
  installation,
  partition,
  planPass,
  runPlan,
  secondary,
  volume,
} from '../../support/passes.ts';
import { primaryXml } from '../../support/primary-xml.ts';
import { until } from '../../support/until.ts';

const MiB = 2 ** 20;
const never = new AbortController().signal;
const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
const layout = storeLayout(stateDir, partition);
const domainName = 'primary-with-images';
const debian = 'debian' as ImageName;
const { alias, serial } = lentImageDisk({ installation, partition });
const log = join(stateDir, 'primary.log');
const own = join(stateDir, 'own.img');
let opened: Open<Host>;

const line = 'booted from the image disk';
const bytes = bootableDisk(line, 4 * MiB, 'and this is at its end');
const digest = digestOf(bytes);
const full = 64 * MiB;

interface Wish {
  readonly taking?: Taking;
  readonly isWritten?: boolean;
  readonly path?: string;
}

function wanting(wish: Wish | null): DesiredState {
  const primary = {
    domainName,
    reserved: { vcpus: 1, memoryBytes: 64 * MiB },
    grants: ['imageDisk'],
    imageDiskBytes: full,
  } as const;
  if (wish === null) return desiredWith({ primary });
  const { taking = 'move', isWritten = true, path = 'images/debian' } = wish;
  const source = { kind: 'imageDisk', sizeBytes: bytes.length, path, taking, isWritten } as const;
  const root = volume('root', {
    sizeBytes: 8 * MiB,
    origin: { image: debian, digest, format: 'raw', provision: 'Copy' },
    deletionPolicy: 'Delete',
  });
  const web = secondary('web', {
    memoryBytes: 64 * MiB,
    boot: { kind: 'volume', use: useOf(root) } as Secondary['boot'],
    stopGraceMs: 0,
  });
  const images = [image('debian', { digest, source })];
  return desiredWith({ images, volumes: [root], secondaries: [web], primary });
}

const pass = async (wanted: DesiredState) => {
  const plan = await planPass(opened.host, wanted, true);
  const host = { ...opened.host, clock: { now: () => performance.now() } };
  const { outcomes } = await runPlan(plan, host, { inFlightMax: 4 });
  return outcomes.map(({ operation: { id }, result }) =>
    result.status === 'failed' ? `${id}: ${result.failure.message}` : `${id} ${result.status}`,
  );
};

beforeAll(async () => {
  chmodSync(stateDir, 0o755);
  writeFileSync(own, bytes);
  opened = await openLibvirtHost({ uri: 'qemu:///system', stateDir, partition }, never);
  const disk = `<disk type='file'>
      <driver name='qemu' type='raw'/><source file='${own}'/>
      <target dev='vda' bus='virtio'/><serial>own</serial>
    </disk>`;
  const words = ['unnest.do=put@own:images/debian'];
  const xml = join(stateDir, 'primary.xml');
  writeFileSync(xml, primaryXml({ name: domainName, log, words, devices: disk }));
  await virsh('define', xml);
  await virsh('start', domainName);
});

afterAll(async () => {
  for (const { domainName: each } of await opened.host.domains.list(never)) {
    await virsh('destroy', each).catch(() => undefined);
    await virsh('undefine', each).catch(() => undefined);
  }
  await opened.close();
  rmSync(stateDir, { recursive: true });
});

const said = () => readFileSync(log, 'utf8').slice(-4000);
/** As the guest sees it by now. */
const guestSees = (sizeMiB: number) =>
  until('its guest sees it', said, (text) => text.trimEnd().endsWith('MiB') && lastDisks(text).includes(`:${serial}:${sizeMiB}`)); // prettier-ignore
const lastDisks = (text: string) => /.*disks(.*)$/ms.exec(text)?.[1] ?? '';
const isLent = async () => (await virsh('dumpxml', domainName)).includes(alias);
const find = async () => {
  const seen = await opened.host.imageDisks.find(partition, never);
  return seen.status === 'present' ? seen.value : null;
};

test('a Primary is given the disk, mounts it, and writes a file to it', async () => {
  await until('the Primary is up', said, (text) => text.includes('up '));
  expect(await pass(wanting(null))).toEqual([
    'installation.record applied',
    'image-disk.create/team-a applied',
    'primary.lend-image-disk/team-a applied',
  ]);
  expect(await isLent()).toBe(true);
  // A Primary needs no file of ours to be started.
  expect(await virsh('dumpxml', '--inactive', domainName)).not.toContain(alias);
  expect(await pass(wanting(null))).toEqual([]);
  await until('it has written it', said, (text) => /put images\/debian: .*done/.test(text));
  expect(said()).not.toContain('failed');
  await guestSees(64);
});

test('a file that is not there is refused, and the disk is back as it was', async () => {
  await pass(wanting({ path: 'images/none' }));
  const before = readFileSync(layout.imageDiskFile(0));
  const outcomes = await pass(wanting({ path: 'images/none' }));
  expect(outcomes.filter((each) => !/skipped|domain/.test(each))).toEqual([
    'primary.take-image-disk/team-a applied',
    'intake.fill/debian: images/none cannot be used: there is no such file on the image disk (NotOnDisk)',
    'primary.lend-image-disk/team-a applied',
  ]);
  expect(readFileSync(layout.imageDiskFile(0)).equals(before)).toBe(true);
  expect(await isLent()).toBe(true);
});

test('the file becomes an Image that a Secondary boots from, and the disk is smaller', async () => {
  expect(await pass(wanting({}))).toEqual([
    'primary.take-image-disk/team-a applied',
    'intake.fill/debian applied',
    'image.import/debian applied',
    'intake.delete/debian applied',
    'image-disk.rework/team-a applied',
    'volume.create/root applied',
    'primary.lend-image-disk/team-a applied',
    'domain.start/web applied',
  ]);
  expect(readFileSync(layout.imageFile(debian, 'raw')).equals(bytes)).toBe(true);
  expect(await find()).toMatchObject({
    sizeBytes: full - bytes.length,
    heldBytes: full - bytes.length,
    given: [{ image: 'debian', path: 'images/debian' }],
  });
  expect(await isLent()).toBe(true);
  await guestSees(60);
  expect(await pass(wanting({}))).toEqual([]);

  const web = (await opened.host.domains.list(never)).find(
    ({ domainName: each }) => each === `unnest.${partition}.web`,
  );
  if (web === undefined) throw new Error('it is not there');
  let console = '';
  const reading = new AbortController();
  for await (const chunk of await opened.host.domains.console(web, reading.signal)) {
    console += Buffer.from(chunk).toString('latin1');
    if (console.includes(line)) break;
  }
  reading.abort();
  expect(console).toContain(line);
});

test('its Image gone, the disk waits for its Primary to start anew, and is as it was then', async () => {
  expect(await pass(wanting(null))).toEqual([
    'domain.note-stop/web applied',
    'image.delete/debian applied',
    'domain.stop/web applied',
    'domain.undefine/web applied',
    'volume.delete/root applied',
  ]);
  expect(await pass(wanting(null))).toEqual([]);
  await virsh('destroy', domainName);
  expect(await pass(wanting(null))).toEqual(['image-disk.rework/team-a applied']);
  await virsh('start', domainName);
  expect(await pass(wanting(null))).toEqual(['primary.lend-image-disk/team-a applied']);
  expect(await find()).toMatchObject({ sizeBytes: full, heldBytes: full, given: [] });
  expect(statSync(layout.imageDiskFile(0)).size).toBe(full);
  await until('the Primary is up again', said, (text) => /up \d+ s/.test(text));
  // And its guest has mounted it, and put its file there again.
  await until('it has written it again', said, (text) => /put images\/debian: .*done/.test(text));
});

test('what is no longer given is taken back and deleted', async () => {
  const { primary, ...rest } = wanting(null);
  if (primary === null || primary === 'unspoken') throw new Error('there is none');
  expect(await pass({ ...rest, primary: { ...primary, imageDiskBytes: null } })).toEqual([
    'primary.take-image-disk/team-a applied',
    'image-disk.delete/team-a applied',
  ]);
  expect(await find()).toBeNull();
  expect(existsSync(layout.imageDiskDir)).toBe(false);
});
