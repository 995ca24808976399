/** An operator's VM that is to be a Primary: a guest of the guest kit with room for what is plugged in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PrimaryParts {
  readonly name: string;
  /** The file that its serial console is written to. */
  readonly log: string;
  readonly memoryMiB?: number;
  /** Behind what every guest of the kit is told. */
  readonly words?: readonly string[];
  /** XML of further devices. */
  readonly devices?: string;
}

/** More than it needs itself: a q35 takes nothing in while it runs that has no port to go to. */
const rootPorts = Array.from(
  { length: 8 },
  (_, index) => `<controller type='pci' index='${index + 1}' model='pcie-root-port'/>`,
).join('');

export function primaryXml({
  name,
  log,
  memoryMiB = 128,
  words = [],
  devices = '',
}: PrimaryParts): string {
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  const told = readFileSync(join(kit, 'cmdline'), 'utf8').trim();
  const line = [told, `unnest.name=${name}`, ...words].join(' ');
  return `<domain type='${process.env['UNNEST_DOMAIN_TYPE']}'>
    <name>${name}</name>
    <memory unit='MiB'>${memoryMiB}</memory><vcpu>1</vcpu>
    <os>
      <type machine='q35'>hvm</type>
      <kernel>${kit}/vmlinuz</kernel><initrd>${kit}/initrd.img</initrd><cmdline>${line}</cmdline>
    </os>
    <features><acpi/><tcg><tb-cache unit='MiB'>64</tb-cache></tcg></features>
    <devices>
      <controller type='pci' index='0' model='pcie-root'/>${rootPorts}
      <serial type='file'><source path='${log}'/></serial>
      ${devices}
    </devices>
  </domain>`;
}
