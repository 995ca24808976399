/**
 * A real guest gives memory to a Secondary, and gets it back, as it sees it itself. Of vCPUs the lab tells:
 * they cannot be taken from a guest that is emulated.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Open, openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import type { Host } from '../../../src/host/ports.ts';
import type { ObservedPrimary, PrimaryWanted } from '../../../src/model/primary.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { nothingGuaranteed, type Share } from '../../../src/model/share.ts';
import { primaryAmounts } from '../../../src/partition/carving.ts';
import { desiredWith, partition, planPass, runPlan, secondary } from '../../support/passes.ts';

const MiB = 2 ** 20;
const never = new AbortController().signal;
const domainName = 'primary-carved';
const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
const log = join(stateDir, 'primary.log');
let opened: Open<Host>;

const virsh = (...args: readonly string[]) => promisify(execFile)('virsh', ['--quiet', ...args]);

function primaryXml(): string {
  const words = `${readFileSync(join(kit, 'cmdline'), 'utf8').trim()} unnest.name=primary`;
  return `<domain type='${process.env['UNNEST_DOMAIN_TYPE']}'>
  <name>${domainName}</name>
  <maxMemory slots='4' unit='MiB'>1024</maxMemory>
  <memory unit='MiB'>704</memory>
  <vcpu current='2'>2</vcpu>
  <vcpus>
    <vcpu id='0' enabled='yes' hotpluggable='no'/>
    <vcpu id='1' enabled='yes' hotpluggable='yes'/>
  </vcpus>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>${kit}/vmlinuz</kernel><initrd>${kit}/initrd.img</initrd><cmdline>${words}</cmdline>
  </os>
  <features><acpi/><tcg><tb-cache unit='MiB'>64</tb-cache></tcg></features>
  <cpu><numa><cell id='0' cpus='0-1' memory='192' unit='MiB'/></numa></cpu>
  <devices>
    <serial type='file'><source path='${log}'/></serial>
    <memory model='virtio-mem'>
      <target>
        <size unit='MiB'>512</size><node>0</node>
        <block unit='MiB'>2</block><requested unit='MiB'>512</requested>
      </target>
    </memory>
  </devices>
</domain>`;
}

/** What the guest says last of itself, once it says that. */
async function says(pattern: RegExp): Promise<string> {
  for (let tries = 0; tries < 120; tries += 1) {
    const last = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
    if (pattern.test(last)) return last.trim();
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error(`it never said ${pattern}: ${readFileSync(log, 'utf8').slice(-500)}`);
}

async function primary(): Promise<ObservedPrimary> {
  const seen = await opened.host.primaries.find(domainName, never);
  if (seen.status !== 'present') throw new Error(JSON.stringify(seen));
  return seen.value;
}

beforeAll(async () => {
  const store = join(stateDir, partition, 'files');
  mkdirSync(store, { recursive: true });
  for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(store, file));
  opened = await openLibvirtHost({ uri: 'qemu:///system', stateDir, partition }, never);
  const xml = join(stateDir, 'primary.xml');
  writeFileSync(xml, primaryXml());
  await virsh('define', xml);
  await virsh('start', domainName);
  await says(/2 vCPU, 704 MiB/);
});

afterAll(async () => {
  for (const { domainName: each } of await opened.host.domains.list(never)) {
    await virsh('destroy', each).catch(() => undefined);
    await virsh('undefine', each).catch(() => undefined);
  }
  await opened.close();
  rmSync(stateDir, { recursive: true });
});

const web = (): Secondary => {
  const commandLine = 'console=ttyS0 quiet unnest.name=web';
  const boot = { kind: 'kernel', kernel: 'vmlinuz', initrd: 'initrd.img', commandLine };
  return secondary('web', { boot: boot as Secondary['boot'], stopGraceMs: 0 });
};

/** Exactly what the whole Primary has: whatever a Secondary gets, it has to give. */
async function situation() {
  const amounts = primaryAmounts(await primary());
  const share: Share = {
    limits: {
      ...amounts,
      // Emulated vCPUs are not carved.
      vcpus: amounts.vcpus + 1,
      secondaries: 3,
      diskBytesPerSecond: null,
      diskOperationsPerSecond: null,
    },
    guarantees: nothingGuaranteed,
    enforcement: 'Admission',
  };
  const wanted: PrimaryWanted = {
    domainName,
    reserved: { vcpus: 1, memoryBytes: 192 * MiB },
    grants: ['vcpus', 'memory'],
    imageDiskBytes: null,
  };
  const pass = async (...secondaries: readonly Secondary[]) => {
    const plan = await planPass(
      opened.host,
      desiredWith({ secondaries, share, primary: wanted }),
      true,
    );
    const host = { ...opened.host, clock: { now: () => performance.now() } };
    const { outcomes } = await runPlan(plan, host, { inFlightMax: 4 });
    return outcomes.map(({ operation: { id }, result }) =>
      result.status === 'failed' ? `${id}: ${result.failure.message}` : `${id} ${result.status}`,
    );
  };
  return { pass };
}

test('a Secondary takes what it needs from a running guest, which gets it back', async () => {
  const before = await primary();
  expect(before).toMatchObject({
    live: { vcpus: 2, pluggedBytes: 512 * MiB },
    defined: { vcpus: 2, pluggedBytes: 512 * MiB },
    vcpusMax: 2,
    vcpusFixed: 1,
    baseBytes: 192 * MiB,
    device: { blockBytes: 2 * MiB, sizeBytes: 512 * MiB },
    pinnedBy: null,
  });
  const { pass } = await situation();
  expect(await pass(web())).toEqual([
    'installation.record applied',
    'domain.define/web applied',
    `primary.set-memory/${partition} applied`,
    'domain.start/web applied',
  ]);
  const carved = await primary();
  expect(carved.defined).toEqual(carved.live);
  const left = (carved.live?.pluggedBytes ?? 0) / MiB;
  expect(left).toBeLessThan(512 - 128);
  await says(new RegExp(`2 vCPU, ${192 + left} MiB`));
  expect(await pass(web())).toEqual([]);

  expect(await pass({ ...web(), runPolicy: 'Halted' })).toEqual([
    'domain.define/web applied',
    'domain.note-stop/web applied',
    'domain.stop/web applied',
    `primary.set-memory/${partition} applied`,
  ]);
  expect(await primary()).toMatchObject({ live: before.live, defined: before.defined });
  await says(/2 vCPU, 704 MiB/);
});
