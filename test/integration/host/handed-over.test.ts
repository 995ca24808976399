/**
 * A real Primary hands over an Image: it is lent a disk, writes to it, lets go of it, and a Secondary boots
 * from what it has written.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Open, openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import type { Host } from '../../../src/host/ports.ts';
import { lentDisk } from '../../../src/model/intake.ts';
import type { ImageName, VolumeName } from '../../../src/model/names.ts';
import type { DesiredState, Secondary } from '../../../src/model/secondary.ts';
import { useOf } from '../../../src/model/volume.ts';
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
const domainName = 'primary-hands-over';
const debian = 'debian' as ImageName;
const { alias } = lentDisk({ installation, partition }, debian);
const log = join(stateDir, 'primary.log');
const source = join(stateDir, 'source.img');
let opened: Open<Host>;

const line = 'booted from what was handed over';
const bytes = bootableDisk(line, 4 * MiB, 'and this is at its end');
const digest = digestOf(bytes);

function wanting(isWritten: boolean, more: Partial<DesiredState> = {}): DesiredState {
  const handedOver = image('debian', {
    digest,
    source: { kind: 'handOver', sizeBytes: bytes.length, isWritten },
  });
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
  const primary = {
    domainName,
    reserved: { vcpus: 1, memoryBytes: 64 * MiB },
    grants: ['handOver'],
    imageDiskBytes: null,
  } as const;
  const all = { images: [handedOver], volumes: [root], secondaries: [web], primary };
  return { ...desiredWith(all), ...more };
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
  writeFileSync(source, bytes);
  opened = await openLibvirtHost({ uri: 'qemu:///system', stateDir, partition }, never);
  const disk = `<disk type='file'>
      <driver name='qemu' type='raw'/><source file='${source}'/>
      <target dev='vda' bus='virtio'/><serial>own</serial>
    </disk>`;
  const words = ['unnest.do=copy@own:debian'];
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
const isLent = async () => (await virsh('dumpxml', domainName)).includes(alias);

test('a Primary is lent a disk, writes to it, and a Secondary boots from what it has written', async () => {
  await until('the Primary is up', said, (text) => text.includes('up '));
  expect(await pass(wanting(false))).toEqual([
    'installation.record applied',
    'intake.create/debian applied',
    'primary.lend-disk/debian applied',
  ]);
  expect(await isLent()).toBe(true);
  // A Primary needs no file of ours to be started.
  expect(await virsh('dumpxml', '--inactive', domainName)).not.toContain(alias);
  expect(await pass(wanting(false))).toEqual([]);
  await until('the Primary has copied it', said, (text) => /copied to debian: .*out/.test(text));

  const inode = statSync(layout.intakeDisk(debian)).ino;
  expect(await pass(wanting(true))).toEqual([
    'domain.define/web applied',
    'primary.take-disk/debian applied',
    'image.import/debian applied',
    'intake.delete/debian applied',
    'volume.create/root applied',
    'domain.start/web applied',
  ]);
  expect(await isLent()).toBe(false);
  // The disk has become the Image: there was never a second copy of it.
  expect(statSync(layout.imageFile(debian, 'raw')).ino).toBe(inode);
  expect(readFileSync(layout.imageFile(debian, 'raw')).equals(bytes)).toBe(true);
  expect(await pass(wanting(true))).toEqual([]);

  const seen = await opened.host.domains.list(never);
  const web = seen.find(({ domainName: each }) => each === `unnest.${partition}.web`);
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

test('one that goes meanwhile leaves its disk with nobody, and is lent it again', async () => {
  const other = 'other' as ImageName;
  const second = image('other', {
    digest,
    source: { kind: 'handOver', sizeBytes: bytes.length, isWritten: false },
  });
  const wanted = wanting(true);
  const both = { ...wanted, images: new Map([...wanted.images, [other, second]]) };
  expect(await pass(both)).toContain('primary.lend-disk/other applied');
  await virsh('destroy', domainName);
  expect(await pass(both)).toEqual([]);
  await virsh('start', domainName);
  expect(await pass(both)).toEqual(['primary.lend-disk/other applied']);
  await until('the Primary is up again', said, (text) => /up \d+ s/.test(text));
  // Its document is gone: the guest lets go of it, and nothing is left.
  expect(await pass(wanted)).toEqual([
    'primary.take-disk/other applied',
    'intake.delete/other applied',
  ]);
  expect(await opened.host.intakes.list(partition, never)).toEqual([]);
  expect(await opened.host.volumes.list(partition, never)).toEqual(['root' as VolumeName]);
});
