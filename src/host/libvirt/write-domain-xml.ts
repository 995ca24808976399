/**
 * A definition to a domain's XML: the managed fields are laid over the tree that is there, and
 * everything else in it is kept, pinned machine type, addresses and MACs included. Strings become
 * text nodes and attribute values of a tree, never XML.
 */
import { join } from 'node:path';
import { parseXml, serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import type { DomainDefinition, DomainFields } from '../../model/domain.ts';
import { HostError } from '../host-error.ts';
import { writeApplied } from './applied-fields.ts';
import {
  attributeOf,
  childNamed,
  isRootDisk,
  isSerialConsole,
  MARK_APPLIED,
  MARK_NAME,
  MARK_NAMESPACE,
  MARK_STOP,
  markOf,
  type Ours,
  oursIn,
  ROOT_DISK_TARGET,
} from './domain-parts.ts';

type Node = XmlElement | string;

/** @param current the inactive XML of the domain that is there, or null to make a new one */
export function writeDomainXml(
  definition: DomainDefinition,
  current: string | null,
  storeDir: string,
): string {
  const domain = current === null ? newDomain(definition) : parseXml(current);
  const ours = oursIn(domain);
  const path = (file: string | null) => (file === null ? null : join(storeDir, file));
  const { fields } = definition;
  return serializeXml(
    edit(domain, [
      ['metadata', (metadata) => withMark(metadata ?? element('metadata'), definition)],
      ['memory', () => kibibytes('memory', fields.memoryMaxBytes)],
      ['currentMemory', () => kibibytes('currentMemory', fields.memoryBytes)],
      ['vcpu', (vcpu) => vcpuElement(vcpu, fields)],
      ['os', (os) => withBoot(os ?? element('os'), fields, path)],
      ['devices', (devices) => withDevices(devices ?? element('devices'), fields, path, ours)],
    ]),
  );
}

type Path = (file: string | null) => string | null;

function newDomain({ uuid, domainName, platform }: DomainDefinition): XmlElement {
  const { domainType, machine } = platform;
  return element('domain', { type: domainType }, [
    element('name', {}, [domainName]),
    element('uuid', {}, [uuid]),
    element('os', {}, [
      element('type', machine === null ? {} : { machine }, ['hvm']),
      // An operator may put an order on devices in its stead, and libvirt takes only one of the two.
      element('boot', { dev: 'hd' }),
    ]),
    element('features', {}, [element('acpi'), element('apic')]),
    ...(domainType === 'kvm' ? [element('cpu', { mode: 'host-model' })] : []),
    element('clock', { offset: 'utc' }),
    element('on_poweroff', {}, ['destroy']),
    element('on_reboot', {}, ['restart']),
    element('on_crash', {}, ['destroy']),
    element('devices', {}, [
      // Without this libvirt adds a USB controller that no Secondary asked for.
      element('controller', { type: 'usb', model: 'none' }),
      element('memballoon', { model: 'virtio' }),
      element('rng', { model: 'virtio' }, [
        element('backend', { model: 'random' }, ['/dev/urandom']),
      ]),
    ]),
  ]);
}

function withMark(metadata: XmlElement, { owner, fields }: DomainDefinition): XmlElement {
  const attributes = {
    'xmlns:unnest': MARK_NAMESPACE,
    installation: owner.installation,
    partition: owner.partition,
    name: owner.secondary,
    [MARK_APPLIED]: writeApplied(fields),
  };
  return edit(metadata, [
    [MARK_NAME, (mark) => withAttributes(mark ?? element(MARK_NAME), attributes)],
  ]);
}

/** Our mark with the note set or cleared, as an element of its own for libvirt's metadata call. */
export function writeStopNote(domainXml: string, asked: boolean): string {
  const mark = markOf(parseXml(domainXml));
  if (mark === undefined) throw new HostError('Conflict', 'the domain has no mark of ours');
  const attributes = new Map(mark.attributes);
  // libvirt puts the namespace and the prefix there by itself.
  attributes.delete('xmlns:unnest');
  attributes.delete(MARK_STOP);
  if (asked) attributes.set(MARK_STOP, 'asked');
  return serializeXml({ name: MARK_NAME.replace(/^.*:/, ''), attributes, children: [] });
}

function kibibytes(name: string, bytes: number): XmlElement {
  return element(name, { unit: 'KiB' }, [String(bytes / 1024)]);
}

/** Keeps what else is said of vCPUs, such as their placement. */
function vcpuElement(vcpu: XmlElement | undefined, { vcpus, vcpusMax }: DomainFields): XmlElement {
  const attributes = new Map(vcpu?.attributes);
  attributes.delete('current');
  if (vcpus !== vcpusMax) attributes.set('current', String(vcpus));
  return { name: 'vcpu', attributes, children: [String(vcpusMax)] };
}

function withBoot(os: XmlElement, fields: DomainFields, path: Path): XmlElement {
  const optional = (name: string, text: string | null) => () =>
    text === null || text === '' ? null : element(name, {}, [text]);
  return edit(os, [
    ['kernel', optional('kernel', path(fields.kernel))],
    ['initrd', optional('initrd', path(fields.initrd))],
    ['cmdline', optional('cmdline', fields.commandLine)],
  ]);
}

/** Whose the device is was settled when the XML was read: see `domain-parts.ts`. */
function withDevices(
  devices: XmlElement,
  fields: DomainFields,
  path: Path,
  ours: Ours,
): XmlElement {
  const file = path(fields.disk);
  const format = fields.diskFormat ?? 'raw';
  const children = devices.children.flatMap((child): readonly Node[] => {
    if (typeof child === 'string') return [child];
    // In its place: libvirt numbers boot devices by their order.
    if (ours.disk && isRootDisk(child)) return file === null ? [] : [rootDisk(child, file, format)];
    return ours.serial && !fields.serialConsole && isSerialConsole(child) ? [] : [child];
  });
  if (file !== null) addRootDisk(children, file, format, ours);
  if (fields.serialConsole && !children.some(isDevice(isSerialConsole)))
    children.push(serialPort());
  return { ...devices, children };
}

function addRootDisk(children: Node[], file: string, format: string, ours: Ours): void {
  if (children.some(isDevice(isRootDisk))) {
    if (ours.disk) return;
    throw new HostError('Refused', `a disk of somebody else is at ${ROOT_DISK_TARGET}`);
  }
  const taken = children.some(
    isDevice((device) => attributeOf(childNamed(device, 'source'), 'file') === file),
  );
  // One image twice in one guest destroys it.
  if (taken) throw new HostError('Refused', `another device of the domain has ${file} already`);
  const first = children.findIndex(isDevice(({ name }) => name === 'disk'));
  children.splice(first < 0 ? children.length : first, 0, rootDisk(undefined, file, format));
}

function serialPort(): XmlElement {
  return element('serial', { type: 'pty' }, [element('target', { type: 'isa-serial', port: '0' })]);
}

const isDevice = (test: (device: XmlElement) => boolean) => (child: Node) =>
  typeof child !== 'string' && test(child);

/** An explicit format and an empty backing store: nothing that a guest wrote is ever probed. */
function rootDisk(current: XmlElement | undefined, file: string, format: string): XmlElement {
  const base = current ?? element('disk', { type: 'file', device: 'disk' });
  return edit(base, [
    [
      'driver',
      (driver) => withAttributes(driver ?? element('driver', { name: 'qemu' }), { type: format }),
    ],
    ['source', () => element('source', { file })],
    ['backingStore', () => element('backingStore')],
    ['target', (target) => target ?? element('target', { dev: ROOT_DISK_TARGET, bus: 'virtio' })],
  ]);
}

type Edit = readonly [name: string, change: (found: XmlElement | undefined) => XmlElement | null];

/** Changes the first child of each name, or appends it; null removes it. All else keeps its place. */
function edit(parent: XmlElement, edits: readonly Edit[]): XmlElement {
  const children = [...parent.children];
  for (const [name, change] of edits) {
    const found = childNamed({ ...parent, children }, name);
    const index = found === undefined ? children.length : children.indexOf(found);
    const changed = change(found);
    children.splice(index, found === undefined ? 0 : 1, ...(changed === null ? [] : [changed]));
  }
  return { ...parent, children };
}

function withAttributes(of: XmlElement, more: Readonly<Record<string, string>>): XmlElement {
  return { ...of, attributes: new Map([...of.attributes, ...Object.entries(more)]) };
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly Node[] = [],
): XmlElement {
  return { name, attributes: new Map(Object.entries(attributes)), children };
}
