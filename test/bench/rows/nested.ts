/**
 * What nesting costs: the same boot, computation and disk work in a guest beside its asker, and in a
 * guest inside a guest. Where KVM does not work both are emulated, processor with SVM included: what the
 * hardware of a host would do at once is then done in software, so only trust the direction.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../../src/libvirt/index.ts';
import { libvirt } from '../built.ts';
import { type Row, rowOf } from '../row.ts';

const turns = 3;
const secondsMax = 300;
const folder = process.env['TMPDIR'] ?? '/tmp';
const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
const buildKit = 'test/bench/nested/build.sh';
const nestedKit = resolve('.cache/bench-nested');
const phases = ['boot', 'compute', 'disk'] as const;
const ends = ['work: booted', 'work: computed', 'work: written and read'] as const;

/** Milliseconds of each phase. */
type Times = readonly number[];

export async function nested(): Promise<readonly Row[]> {
  execFileSync(buildKit, { stdio: ['ignore', 'ignore', 'inherit'] });
  const connection = await libvirt.connect();
  try {
    const siblings: Times[] = [];
    const inside: Times[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      siblings.push(await timesOf(connection, siblingXml(), null));
      inside.push(await timesOf(connection, hostXml(), 'host: starts its guest'));
    }
    return phases.map((phase, index) => {
      const of = (all: readonly Times[]) => ({
        values: all.map((times) => times[index] ?? Number.NaN),
      });
      const ours = { name: `nested-vs-sibling: ${phase}, as sibling`, samples: of(siblings) };
      return rowOf(ours, { name: 'the same in a guest of a guest', samples: of(inside) });
    });
  } finally {
    connection.close();
  }
}

/** @param from the line from which on it counts; null: the call that starts it */
async function timesOf({ domains }: Connection, xml: string, from: string | null): Promise<Times> {
  writeFileSync(consoleFile, '');
  const domain = await domains.define(xml);
  try {
    let before = performance.now();
    await domains.start(domain);
    if (from !== null) before = await arrival(from);
    const times: number[] = [];
    for (const line of ends) {
      const now = await arrival(line);
      times.push(now - before);
      before = now;
    }
    return times;
  } finally {
    await domains.destroy(domain).catch(() => undefined);
    await domains.undefine(domain);
  }
}

const consoleFile = join(folder, 'nested-console');

async function arrival(line: string): Promise<number> {
  const deadline = performance.now() + secondsMax * 1000;
  while (performance.now() < deadline) {
    const said = readFileSync(consoleFile, 'latin1');
    if (said.includes(line)) return performance.now();
    if (said.includes('reboot: Power down')) break;
    await sleep(5);
  }
  const last = readFileSync(consoleFile, 'latin1').slice(-500);
  throw new Error(`no "${line}" on the console; last: ${last}`);
}

function siblingXml(): string {
  const disk = join(folder, 'nested-disk');
  writeFileSync(disk, Buffer.alloc(32 * 1024 ** 2));
  return xmlOf({ rdinit: '/work', memoryMiB: 128, disk, initrd: join(nestedKit, 'initrd.img') });
}

function hostXml(): string {
  const disk = join(nestedKit, 'host.img');
  return xmlOf({ rdinit: '/host', memoryMiB: 768, disk, initrd: join(nestedKit, 'initrd.img') });
}

interface Guest {
  readonly rdinit: string;
  readonly memoryMiB: number;
  readonly disk: string;
  readonly initrd: string;
}

function xmlOf({ rdinit, memoryMiB, disk, initrd }: Guest): string {
  const isKvm = process.env['UNNEST_DOMAIN_TYPE'] === 'kvm';
  return `<domain type='${isKvm ? 'kvm' : 'qemu'}'><name>bench-nested</name>
    <memory unit='MiB'>${memoryMiB}</memory><vcpu>1</vcpu>
    <os><type machine='q35'>hvm</type><kernel>${kit}/vmlinuz</kernel><initrd>${initrd}</initrd>
    <cmdline>console=ttyS0 quiet rdinit=${rdinit}</cmdline></os><features><acpi/></features>
    ${isKvm ? "<cpu mode='host-passthrough'/>" : emulatedCpu}
    <devices><disk type='file'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
    <serial type='file'><source path='${consoleFile}' append='on'/></serial></devices></domain>`;
}

/** One whose SVM QEMU emulates, and with which the kernels of Debian 12 run on QEMU 7.2. */
const emulatedCpu = `<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model>
  ${['svm', 'npt', 'ssse3', 'sse4.1', 'sse4.2', 'popcnt'].map((name) => `<feature policy='require' name='${name}'/>`).join('')}
  <feature policy='disable' name='cx16'/></cpu>`;
