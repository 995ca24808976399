/**
 * A definition to a domain's XML: the managed fields are laid over the tree that is there, and
 * everything else in it is kept, pinned machine type, addresses and MACs included. Strings become
 * text nodes and attribute values of a tree, never XML.
 */
import { parseXml, serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import type { DomainDefinition, DomainFields } from '../../model/domain.ts';
import { imageName } from '../../model/names.ts';
import type { BootFormat } from '../../model/volume.ts';
import { TRANSLATION_CACHE_BYTES } from '../../model/translation-cache.ts';
import { HostError } from '../host-error.ts';
import type { StoreLayout } from '../local/layout.ts';
import { writeApplied } from './applied-fields.ts';
import { withNic } from './domain-nic.ts';
import { withSlice } from './domain-slice.ts';
import {
  AGENT_CHANNEL,
  isAgentChannel,
  isSerialConsole,
  MARK_NAME,
  MARK_STOP,
  markOf,
  type Ours,
  oursIn,
} from './domain-parts.ts';
import { withSparePorts } from './root-ports.ts';
import { withIgnition, withSeedDisk } from './seed-parts.ts';
import { withVsock } from './domain-vsock.ts';
import { MARK_APPLIED, withMark } from './mark.ts';
import { withDisks } from './write-disks.ts';
import { edit, element } from './xml-tree.ts';

/** @param current the inactive XML of the domain that is there, or null to make a new one */
export function writeDomainXml(
  definition: DomainDefinition,
  current: string | null,
  layout: StoreLayout,
): string {
  const domain = current === null ? newDomain(definition) : parseXml(current);
  const ours = oursIn(domain);
  const { fields, owner } = definition;
  const mark = { name: owner.secondary, [MARK_APPLIED]: writeApplied(fields) };
  const edited = withIgnition(domain, fields.ignition, ours, owner, layout);
  return serializeXml(
    edit(edited, [
      ['metadata', (metadata) => withMark(metadata, MARK_NAME, owner, mark)],
      ['memory', () => kibibytes('memory', fields.memoryMaxBytes)],
      ['currentMemory', () => kibibytes('currentMemory', fields.memoryBytes)],
      ['vcpu', (vcpu) => vcpuElement(vcpu, fields)],
      ['resource', (resource) => withSlice(resource, fields.slice, owner)],
      ['os', (os) => withBoot(os ?? element('os'), fields, layout)],
      ['devices', (found) => withDevices(found ?? element('devices'), definition, layout, ours)],
    ]),
  );
}

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
    element('features', {}, [
      element('acpi'),
      element('apic'),
      ...(domainType === 'qemu' ? [translationCache()] : []),
    ]),
    ...(domainType === 'kvm' ? [element('cpu', { mode: 'host-model' })] : []),
    element('clock', { offset: 'utc' }),
    element('on_poweroff', {}, ['destroy']),
    element('on_reboot', {}, ['restart']),
    element('on_crash', {}, ['destroy']),
    element('devices', {}, [
      // Ports are said beside it, or libvirt would take the first of them for it.
      ...(machine === 'q35'
        ? [element('controller', { type: 'pci', index: '0', model: 'pcie-root' })]
        : []),
      // Without this libvirt adds a USB controller that no Secondary asked for.
      element('controller', { type: 'usb', model: 'none' }),
      element('memballoon', { model: 'virtio' }),
      element('rng', { model: 'virtio' }, [
        element('backend', { model: 'random' }, ['/dev/urandom']),
      ]),
    ]),
  ]);
}

/** Left to itself it may become as large as 1 GiB, and counts as such. */
function translationCache(): XmlElement {
  return element('tcg', {}, [kibibytes('tb-cache', TRANSLATION_CACHE_BYTES)]);
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

function withBoot(os: XmlElement, fields: DomainFields, layout: StoreLayout): XmlElement {
  const optional = (name: string, text: string | null) => () =>
    text === null || text === '' ? null : element(name, {}, [text]);
  return edit(os, [
    ['kernel', optional('kernel', bootPath(fields.kernel, fields.kernelImage, 'bzImage', layout))],
    ['initrd', optional('initrd', bootPath(fields.initrd, fields.initrdImage, 'initrd', layout))],
    ['cmdline', optional('cmdline', fields.commandLine)],
  ]);
}

/** @throws HostError if the name is that of no Image: nothing but our own paths is written */
function bootPath(
  file: string | null,
  image: string | null,
  format: BootFormat,
  layout: StoreLayout,
): string | null {
  if (image === null) return file === null ? null : layout.file(file);
  const name = imageName(image);
  if (name === undefined) throw new HostError('Refused', `${image} is the name of no image`);
  return layout.imageFile(name, format);
}

/** Whose the device is was settled when the XML was read: see `domain-parts.ts`. */
function withDevices(
  devices: XmlElement,
  { fields, owner }: DomainDefinition,
  layout: StoreLayout,
  ours: Ours,
): XmlElement {
  const goes = (device: XmlElement) =>
    (ours.serial && !fields.serialConsole && isSerialConsole(device)) ||
    (ours.agent && !fields.guestAgent && isAgentChannel(device));
  const kept = devices.children.filter((child) => typeof child === 'string' || !goes(child));
  const has = (is: (device: XmlElement) => boolean) =>
    kept.some((child) => typeof child !== 'string' && is(child));
  const volumes = withDisks(kept, fields, layout, ours);
  const disks = withSeedDisk(volumes, fields.cloudInit, owner, layout);
  const added = [
    ...(fields.serialConsole && !has(isSerialConsole) ? [serialPort()] : []),
    ...(fields.guestAgent && !has(isAgentChannel) ? [agentChannel()] : []),
  ];
  const withAll = withNic([...disks, ...added], fields.network, owner);
  const children = withVsock(withAll, fields.vsock, owner, ours.vsock);
  return { ...devices, children: withSparePorts(children) };
}

/** Where on the host it ends, libvirt chooses, guest by guest. */
function agentChannel(): XmlElement {
  return element('channel', { type: 'unix' }, [
    element('target', { type: 'virtio', name: AGENT_CHANNEL }),
  ]);
}

function serialPort(): XmlElement {
  return element('serial', { type: 'pty' }, [element('target', { type: 'isa-serial', port: '0' })]);
}
