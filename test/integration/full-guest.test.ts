/** The fuller guest: what a Primary would run is run in one, by Node.js on a disk of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
const isKvm = process.env['UNNEST_DOMAIN_TYPE'] === 'kvm';

/** Boots it. @returns what it says on its console, growing */
function booted(withDisk: boolean): () => string {
  const words = [
    isKvm ? '-accel kvm -cpu host' : '-accel tcg -cpu max',
    '-machine q35 -m 384 -nodefaults -no-reboot -display none -serial stdio',
    `-kernel ${kit}/vmlinuz -initrd ${kit}/initrd.img`,
    ...(withDisk
      ? [
          `-drive file=${join(kit, '../guest-full/full.img')},format=raw,if=none,id=full,readonly=on`,
          '-device virtio-blk-pci,drive=full,serial=full',
        ]
      : []),
  ];
  const append = 'console=ttyS0 quiet unnest.name=primary unnest.do=full';
  const qemu = spawn('qemu-system-x86_64', [
    ...words.flatMap((each) => each.split(' ')),
    '-append',
    append,
  ]);
  let said = '';
  qemu.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  onTestFinished(() => void qemu.kill('SIGKILL'));
  return () => said;
}

test('unnest runs in a guest, on the Node.js that runs this', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const line = `unnest-guest primary full: unnest ${version} on node ${process.version}`;
  await expect.poll(booted(true), { timeout: 60_000 }).toContain(line);
});

test('a guest without that disk says so', async () => {
  await expect
    .poll(booted(false), { timeout: 60_000 })
    .toContain('full: failed: no disk has the serial full');
});
