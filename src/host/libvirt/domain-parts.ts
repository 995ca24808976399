/** The places in a domain's XML that unnest manages: reading and writing agree on them here. */
import { readApplied } from './applied-fields.ts';
import type { XmlElement } from '../../libvirt/xml.ts';

/** The namespace of our mark; its version changes when the mark's attributes do. */
export const MARK_NAMESPACE = 'https://unnest.dev/ns/v1';
export const MARK_PREFIX = 'unnest';
export const MARK_NAME = `${MARK_PREFIX}:secondary`;
/** `asked` while a stop is asked for by us; not there otherwise. */
export const MARK_STOP = 'stop';
/** What was last applied, as JSON: see `applied-fields.ts`. */
export const MARK_APPLIED = 'applied';

/** The disk that a Secondary boots from is the one at this target. */
export const ROOT_DISK_TARGET = 'vda';

export function childNamed(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return elementsOf(element).find((child) => child.name === name);
}

export function elementsOf(element: XmlElement | undefined): readonly XmlElement[] {
  return (element?.children ?? []).filter((child) => typeof child !== 'string');
}

export function textOf(element: XmlElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  return element.children.filter((child) => typeof child === 'string').join('');
}

export function attributeOf(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.get(name);
}

/** Our mark in a domain's XML, whoever's it says it is. */
export function markOf(domain: XmlElement): XmlElement | undefined {
  return childNamed(childNamed(domain, 'metadata'), MARK_NAME);
}

/** Which of the devices in our places are ours; an operator may have put one of theirs there. */
export interface Ours {
  readonly disk: boolean;
  readonly serial: boolean;
}

/** Where our mark says that we gave it none, what is there is somebody else's. */
export function oursIn(domain: XmlElement): Ours {
  const applied = readApplied(attributeOf(markOf(domain), MARK_APPLIED));
  return {
    disk: applied === null || applied.disk !== null,
    serial: applied === null || applied.serialConsole,
  };
}

/** The root disk among a domain's devices. */
export function isRootDisk(device: XmlElement): boolean {
  return (
    device.name === 'disk' && attributeOf(childNamed(device, 'target'), 'dev') === ROOT_DISK_TARGET
  );
}

/** Whatever else is called a console in XML, these two belong to the serial port. */
export function isSerialConsole(device: XmlElement): boolean {
  if (device.name === 'serial') return true;
  const kind = attributeOf(childNamed(device, 'target'), 'type');
  return device.name === 'console' && (kind === undefined || kind === 'serial');
}
