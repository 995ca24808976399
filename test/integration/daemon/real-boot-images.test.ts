/**
 * A Secondary boots a kernel and an initial RAM disk that were uploaded, under a real libvirtd: they are looked
 * into before anybody runs on them, and stay as they are for as long as somebody does.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import { domainName, domainUuid } from '../../../src/model/identity.ts';
import type { ImageName, SecondaryName } from '../../../src/model/names.ts';
import { virsh } from '../../support/cli.ts';
import { daemonPlace, type RealDaemon } from '../../support/daemon.ts';
import { partitionNamed, statusOf } from '../../support/daemon-says.ts';
import { digestOf } from '../../support/digest.ts';
import { GuestConsole } from '../../support/guest-wire.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';

const MiB = 2 ** 20;
const partition = 'kernels';
const never = new AbortController().signal;
const kit = (file: string) => readFileSync(join(process.env['UNNEST_GUEST_KIT'] ?? '', file));
const kernel = kit('vmlinuz');
const ramdisk = kit('initrd.img');
/** A signature of its maker may be behind it: so it is another kernel, which boots as well. */
const resigned = Buffer.concat([kernel, Buffer.alloc(512, 1)]);
const elf = Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(65_536)]);

const image = (name: string, format: string, bytes: Buffer) => `---
apiVersion: unnest.dev/v1
kind: Image
metadata: { name: ${name} }
spec:
  digest: ${digestOf(bytes)}
  format: ${format}
  source: { upload: { bytes: ${bytes.length} } }
`;
const web = `---
apiVersion: unnest.dev/v1
kind: Secondary
metadata: { name: web }
spec:
  vcpus: 1
  memory: 128MiB
  terminationGracePeriodSeconds: 0
  boot:
    kernel:
      image: linux
      initrdImage: ramdisk
      commandLine: console=ttyS0 quiet unnest.name=$(name)
`;
const data = `---
apiVersion: unnest.dev/v1
kind: Volume
metadata: { name: data }
spec: { size: 1MiB }
`;

async function upload(daemon: RealDaemon, name: string, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += 4 * MiB) {
    const piece = bytes.subarray(at, at + 4 * MiB);
    await daemon.api.upload(partitionNamed(partition), name as ImageName, at, piece, never);
  }
}

test('uploaded, booted, kept while it runs, and gone after it', async ({ onTestFinished }) => {
  const place = daemonPlace({ spec: ['consoleLogs: false'] });
  onTestFinished(() => place.dispose());
  place.describe(partition);
  place.write(
    partition,
    image('linux', 'bzImage', kernel) +
      image('ramdisk', 'initrd', ramdisk) +
      image('vmlinux', 'bzImage', elf) +
      web,
  );
  const daemon = await place.start();
  const said = async (name: string) => {
    const resources = (await statusOf(daemon, partition))?.resources ?? [];
    const found = resources.find(({ kind, name: each }) => kind === 'image' && each === name);
    return `${found?.phase} ${found?.message}`.trim();
  };
  const becomes = (name: string, what: RegExp) =>
    until(
      `Image ${name} is ${what}`,
      () => said(name),
      (now) => what.test(now),
    );
  const hasRoom = (name: string) => becomes(name, /AwaitingBytes: 0 of \d+ bytes/);
  const at = (path: string) => place.at(join('state', partition, 'images', path));

  await hasRoom('linux');
  expect(await domainsOf(partition)).toEqual([]);
  await upload(daemon, 'vmlinux', elf);
  await becomes('vmlinux', /^Rejected .*it is an ELF \(WrongFormat\)/);
  expect(existsSync(at('vmlinux'))).toBe(false);
  await upload(daemon, 'linux', kernel);
  await upload(daemon, 'ramdisk', ramdisk);
  await becomes('linux', /^Ready$/);
  await becomes('ramdisk', /^Ready$/);

  const name = domainName(partitionNamed(partition), 'web' as SecondaryName);
  await until(
    'web runs',
    () => domainsOf(partition),
    ([first = '']) => first.endsWith('running'),
  );
  const xml = await virsh('dumpxml', name);
  expect(xml).toContain(`<kernel>${at('linux/bzImage')}</kernel>`);
  expect(xml).toContain(`<initrd>${at('ramdisk/initrd')}</initrd>`);
  for (const [file, bytes] of [
    ['linux/bzImage', kernel],
    ['ramdisk/initrd', ramdisk],
  ] as const) {
    expect(readFileSync(at(file)).equals(bytes)).toBe(true);
    expect(statSync(at(file)).mode & 0o777).toBe(0o444);
    expect(statSync(at(file)).nlink).toBe(1);
  }
  const uuid = domainUuid((await virsh('domuuid', name)).trim());
  if (uuid === undefined) throw new Error('web has no UUID');
  const where = {
    uri: 'qemu:///system',
    partition: partitionNamed(partition),
    stateDir: place.at('state'),
  };
  const opened = await openLibvirtHost(where, never);
  onTestFinished(() => opened.close());
  const guest = await GuestConsole.open(opened.host, { uuid, domainName: name });
  onTestFinished(() => guest.close());
  await guest.hears(/unnest-guest web up/);
  const [run] = await domainsOf(partition);

  // Other bytes under the same name: all of them come, and wait for the guest.
  place.write(
    partition,
    image('linux', 'bzImage', resigned) + image('ramdisk', 'initrd', ramdisk) + web,
  );
  await hasRoom('linux');
  await upload(daemon, 'linux', resigned);
  await becomes('linux', /ImageInUse: web runs/);
  expect(readFileSync(at('linux/bzImage')).equals(kernel)).toBe(true);
  expect(await domainsOf(partition)).toEqual([run]);

  // Somebody saves it: it is restored with its own, and not by what its memory knows nothing of.
  await virsh('managedsave', name);
  const [restored] = await until(
    'web runs again, restored',
    () => domainsOf(partition),
    ([first = '']) => first.endsWith('running') && first !== run,
  );
  expect(await virsh('domstate', name, '--reason')).toMatch(/^running \(restored\)/);
  expect(readFileSync(at('linux/bzImage')).equals(kernel)).toBe(true);
  await becomes('linux', /ImageInUse: web runs/);
  place.write(
    partition,
    image('linux', 'bzImage', resigned) +
      image('ramdisk', 'initrd', ramdisk) +
      `${web}  runPolicy: Halted\n`,
  );
  await becomes('linux', /^Ready$/);
  expect(readFileSync(at('linux/bzImage')).equals(resigned)).toBe(true);

  // What is no good costs nobody what is there, also while nobody runs with it.
  place.write(
    partition,
    image('linux', 'bzImage', kernel) +
      image('ramdisk', 'initrd', ramdisk) +
      `${web}  runPolicy: Halted\n`,
  );
  await hasRoom('linux');
  await upload(daemon, 'linux', Buffer.concat([kernel.subarray(0, -1), Buffer.alloc(1, 1)]));
  await becomes('linux', /^Rejected .*\(DigestMismatch\)/);
  expect(readFileSync(at('linux/bzImage')).equals(resigned)).toBe(true);

  place.write(
    partition,
    image('linux', 'bzImage', resigned) + image('ramdisk', 'initrd', ramdisk) + web,
  );
  await until(
    'web runs again',
    () => domainsOf(partition),
    ([first = '']) => first.endsWith('running') && first !== restored,
  );

  // Without a document the Images go, and after their guest.
  place.write(partition, data);
  await until(
    'nothing is left of it',
    () => !existsSync(at('linux')) && !existsSync(at('ramdisk')),
  );
  expect(await domainsOf(partition)).toEqual([]);
}, 300_000);
