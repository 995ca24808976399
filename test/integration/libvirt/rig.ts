/** What the tests of this folder share: XML of guests, and waiting. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the rig keeps throw-away files. */
export const tmp = process.env['TMPDIR'] ?? '/tmp';
const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
const type = process.env['UNNEST_DOMAIN_TYPE'] ?? 'qemu';

export function uuidOf(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

const devices = `<controller type='usb' model='qemu-xhci'/><serial type='pty'/><memballoon model='virtio'/>`;

/** A machine with nothing to boot. */
export function deadXml(name: string): string {
  return `<domain type='${type}'><name>${name}</name><uuid>${uuidOf(name)}</uuid>
    <memory unit='MiB'>64</memory><vcpu>2</vcpu><os><type machine='q35'>hvm</type></os>
    <features><acpi/></features><devices>${devices}</devices></domain>`;
}

/** A machine with the small guest of the kit, which tells on its console that it has booted. */
export function bootableXml(name: string): string {
  return `<domain type='${type}'><name>${name}</name><uuid>${uuidOf(name)}</uuid>
    <memory unit='MiB'>128</memory><vcpu>1</vcpu>
    <os><type machine='q35'>hvm</type><kernel>${kit}/vmlinuz</kernel><initrd>${kit}/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet unnest.name=${name}</cmdline></os>
    <features><acpi/></features><devices>${devices}</devices></domain>`;
}

/** The error of a promise, undefined if there is none. */
export function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Waits until `isSo`; that it never is, is for the time limit of the test to find out. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}
