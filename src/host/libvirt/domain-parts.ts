/** The places in a domain's XML that unnest manages: reading and writing agree on them here. */
import { createHash } from 'node:crypto';
import type { XmlElement } from '../../libvirt/xml.ts';
import { type VolumeName, volumeName } from '../../model/names.ts';
import { readApplied } from './applied-fields.ts';
import { MARK_APPLIED, markIn, type MarkName } from './mark.ts';
import { attributeOf, childNamed } from './xml-tree.ts';

export const MARK_NAME = 'unnest:secondary' satisfies MarkName;
/** `asked` while a stop is asked for by us; not there otherwise. */
export const MARK_STOP = 'stop';

/** The disk that a Secondary boots from is the one at this target. */
export const ROOT_DISK_TARGET = 'vda';

/** Our mark in a domain's XML, whoever's it says it is. */
export function markOf(domain: XmlElement): XmlElement | undefined {
  return markIn(domain, MARK_NAME);
}

/** Which of the devices in our places are ours; an operator may have put one of theirs there. */
export interface Ours {
  readonly disk: boolean;
  readonly serial: boolean;
  readonly agent: boolean;
  /** The place of an Ignition configuration. */
  readonly ignition: boolean;
  readonly vsock: boolean;
}

/** Where our mark says that we gave it none, what is there is somebody else's. */
export function oursIn(domain: XmlElement): Ours {
  const applied = readApplied(attributeOf(markOf(domain), MARK_APPLIED));
  return {
    disk: applied === null || applied.disk !== null,
    serial: applied === null || applied.serialConsole,
    // Marks of before there were such channels say nothing of them.
    agent: applied?.guestAgent ?? false,
    ignition: applied !== null && applied.ignition !== null,
    vsock: applied !== null && applied.vsock !== 'None',
  };
}

/** The root disk among a domain's devices, if it is a file of the store and not a Volume. */
export function isRootDisk(device: XmlElement): boolean {
  return isAtRoot(device) && volumeOf(device) === undefined;
}

export function isAtRoot(device: XmlElement): boolean {
  return device.name === 'disk' && targetOf(device) === ROOT_DISK_TARGET;
}

/** `vda` and so on: how libvirt tells the disks of a domain apart. */
export function targetOf(disk: XmlElement): string | undefined {
  return attributeOf(childNamed(disk, 'target'), 'dev');
}

const volumeAlias = 'ua-volume-';

/** Without taking the XML apart: any that it has is among them. */
export function volumesNamedIn(xml: string): readonly VolumeName[] {
  const names = [...xml.matchAll(/ua-volume-([a-z0-9-]+)/g)].map(([, name = '']) => name);
  return names.flatMap((name) => volumeName(name) ?? []);
}

/** libvirt keeps an alias that begins so as it is, and it need not be where a disk was. */
export function volumeAliasOf(volume: VolumeName): string {
  return `${volumeAlias}${volume}`;
}

/** The Volume that a disk is of, by its alias; its place may change. */
export function volumeOf(device: XmlElement): VolumeName | undefined {
  const alias = device.name === 'disk' ? aliasOf(device) : undefined;
  return alias?.startsWith(volumeAlias) ? volumeName(alias.slice(volumeAlias.length)) : undefined;
}

/** virtio-blk shows a guest 20 characters of a serial number: those of a long name, told apart. */
export function serialOf(volume: VolumeName): string {
  if (volume.length <= 20) return volume;
  return `${volume.slice(0, 11)}-${createHash('sha256').update(volume).digest('hex').slice(0, 8)}`;
}

/** The disk with a cloud-init seed, wherever libvirt has it. */
export const SEED_ALIAS = 'ua-seed';

export function isSeedDisk(device: XmlElement): boolean {
  return device.name === 'disk' && aliasOf(device) === SEED_ALIAS;
}

export const NIC_ALIAS = 'ua-nic-partition';

export function isNic(device: XmlElement): boolean {
  return device.name === 'interface' && aliasOf(device) === NIC_ALIAS;
}

function aliasOf(device: XmlElement): string | undefined {
  return attributeOf(childNamed(device, 'alias'), 'name');
}

/** Whatever else is called a console in XML, these two belong to the serial port. */
export function isSerialConsole(device: XmlElement): boolean {
  if (device.name === 'serial') return true;
  const kind = attributeOf(childNamed(device, 'target'), 'type');
  return device.name === 'console' && (kind === undefined || kind === 'serial');
}

/** Where QEMU's guest agent listens by default; libvirt knows it by this name too. */
export const AGENT_CHANNEL = 'org.qemu.guest_agent.0';

export function isAgentChannel(device: XmlElement): boolean {
  return (
    device.name === 'channel' && attributeOf(childNamed(device, 'target'), 'name') === AGENT_CHANNEL
  );
}
