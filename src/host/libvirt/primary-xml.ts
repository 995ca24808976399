/** A Primary's XML, which is the operator's: what of it can be carved, and the NIC that is ours. */
import { parseXml, type XmlElement } from '../../libvirt/xml.ts';
import { domainUuid, partitionOfNetwork } from '../../model/identity.ts';
import type { ObservedPrimary, PrimaryHas } from '../../model/primary.ts';
import { isLentDiskAlias, type LentDisk } from '../../model/intake.ts';
import { isPlugAlias, type PrimaryPlug } from '../../model/plug.ts';
import type { PrimaryNic } from '../../model/uplink.ts';
import { HostError } from '../host-error.ts';
import { balloonHas, balloonIn } from './primary-balloon.ts';
import { bytesOf, readTranslationCache, wholeNumber } from './domain-numbers.ts';
import { attributeOf, childNamed, edit, element, elementsNamed, textOf } from './xml-tree.ts';

/**
 * @param live null: it does not run
 * @param isPluggedIn whether a tap is in a bridge
 * @throws Error if one is not what libvirt writes
 */
export function readPrimaryXml(
  inactive: string,
  live: string | null,
  isPluggedIn: (tap: string) => boolean = () => true,
): ObservedPrimary {
  const definition = parseXml(inactive);
  const guest = live === null ? null : parseXml(live);
  const now = guest ?? definition;
  const uuid = domainUuid(textOf(childNamed(definition, 'uuid')) ?? '');
  if (uuid === undefined) throw new Error('it has no UUID');
  const vcpus = childNamed(now, 'vcpu');
  const devices = memoryDevices(now);
  const [device] = devices;
  const balloon = device === undefined ? balloonIn(now) : null;
  return {
    uuid,
    domainName: textOf(childNamed(definition, 'name')) ?? '',
    live: guest === null ? null : hasIn(guest),
    defined: hasIn(definition),
    vcpusMax: wholeNumber(textOf(vcpus), 'vcpu'),
    vcpusFixed: fixedVcpus(now),
    // All of its memory is a balloon's.
    baseBytes: balloon === null ? baseOf(now) : 0,
    device: device === undefined ? balloon : devices.length > 1 ? null : shapeOf(device),
    pinnedBy: pinnedBy(now),
    translationCacheBytes: readTranslationCache(now),
    slicePath: slicePathIn(now),
    nextSlicePath: slicePathIn(definition),
    nics: nicsOf(now).flatMap(nicIn),
    plugs: nicsOf(definition).flatMap((nic) => plugIn(nic, () => true)),
    lentDisks: guest === null ? [] : lentDisksOf(guest),
    livePlugs: guest && nicsOf(guest).flatMap((nic) => plugIn(nic, isPluggedIn)),
  };
}

function lentDisksOf(domain: XmlElement): readonly string[] {
  return elementsNamed(childNamed(domain, 'devices'), 'disk').flatMap((disk) => {
    const alias = attributeOf(childNamed(disk, 'alias'), 'name') ?? '';
    return isLentDiskAlias(alias) ? [alias] : [];
  });
}

/**
 * For libvirt's call. Raw, whatever its guest writes to it, and at the first target that is free: a
 * guest knows it by its serial number.
 */
export function lentDiskElement(live: string, file: string, disk: LentDisk): XmlElement {
  const devices = childNamed(parseXml(live), 'devices');
  const taken = new Set(
    elementsNamed(devices, 'disk').map((each) => attributeOf(childNamed(each, 'target'), 'dev')),
  );
  const target = targets.find((each) => !taken.has(each));
  if (target === undefined)
    throw new HostError('Refused', 'its guest has no place for another disk');
  return element('disk', { type: 'file', device: 'disk' }, [
    element('driver', { name: 'qemu', type: 'raw', discard: 'unmap' }),
    element('source', { file }),
    element('backingStore'),
    element('target', { dev: target, bus: 'virtio' }),
    element('serial', {}, [disk.serial]),
    element('alias', { name: disk.alias }),
  ]);
}

const targets = Array.from('bcdefghijklmnopqrstuvwxyz', (letter) => `vd${letter}`);

function nicsOf(domain: XmlElement): readonly XmlElement[] {
  return elementsNamed(childNamed(domain, 'devices'), 'interface');
}

/** None for one that is an operator's. */
function plugIn(nic: XmlElement, isPluggedIn: (tap: string) => boolean): readonly PrimaryPlug[] {
  const alias = attributeOf(childNamed(nic, 'alias'), 'name') ?? '';
  if (!isPlugAlias(alias)) return [];
  const tap = attributeOf(childNamed(nic, 'target'), 'dev') ?? null;
  return [
    {
      alias,
      mac: attributeOf(childNamed(nic, 'mac'), 'address')?.toLowerCase() ?? '',
      tap: tap !== null && isPluggedIn(tap) ? tap : null,
      networkName: attributeOf(childNamed(nic, 'source'), 'network') ?? null,
    },
  ];
}

/** For libvirt's calls. A guest may not have its host take other addresses than its own. */
export function plugElement({ alias, mac, tap, networkName }: PrimaryPlug): XmlElement {
  return element('interface', { type: 'network', trustGuestRxFilters: 'no' }, [
    element('mac', { address: mac }),
    element('source', { network: networkName ?? '' }),
    element('target', { dev: tap ?? '' }),
    element('model', { type: 'virtio' }),
    element('alias', { name: alias }),
  ]);
}

/** None for one that is plugged into a network of ours: what it says leads round in a circle. */
function nicIn(nic: XmlElement): readonly PrimaryNic[] {
  const type = attributeOf(nic, 'type') ?? '';
  const source = childNamed(nic, 'source');
  const target = attributeOf(childNamed(nic, 'target'), 'dev');
  const [bridge, device] = [attributeOf(source, 'bridge'), attributeOf(source, 'dev')];
  const networkName = attributeOf(source, 'network');
  if (networkName !== undefined && partitionOfNetwork(networkName) !== null) return [];
  if (type === 'bridge' && bridge !== undefined) return [{ kind: type, bridge }];
  if (type === 'direct' && device !== undefined) return [{ kind: type, device }];
  if (type === 'network' && networkName !== undefined) return [{ kind: type, networkName }];
  if (type === 'ethernet' && target !== undefined) return [{ kind: type, tap: target }];
  return [{ kind: 'other', type }];
}

function slicePathIn(domain: XmlElement): string | null {
  return textOf(childNamed(childNamed(domain, 'resource'), 'partition')) ?? null;
}

function hasIn(domain: XmlElement): PrimaryHas {
  const vcpu = childNamed(domain, 'vcpu');
  const devices = memoryDevices(domain);
  const isBallooned = devices.length === 0 && balloonIn(domain) !== null;
  const plugged = devices.map((device) => {
    const target = childNamed(device, 'target');
    const current = childNamed(target, 'current');
    const requested = bytesOf(childNamed(target, 'requested'));
    return Math.max(requested, current === undefined ? 0 : bytesOf(current));
  });
  return {
    vcpus: wholeNumber(attributeOf(vcpu, 'current') ?? textOf(vcpu), 'vcpu'),
    pluggedBytes: isBallooned ? balloonHas(domain) : plugged.reduce((sum, each) => sum + each, 0),
  };
}

/** libvirt's `<memory>` is all that there could be, devices included. */
function baseOf(domain: XmlElement): number {
  const sizes = elementsNamed(childNamed(domain, 'devices'), 'memory').map((device) =>
    bytesOf(childNamed(childNamed(device, 'target'), 'size')),
  );
  return sizes.reduce((left, size) => left - size, bytesOf(childNamed(domain, 'memory')));
}

function memoryDevices(domain: XmlElement): readonly XmlElement[] {
  return elementsNamed(childNamed(domain, 'devices'), 'memory').filter(
    (device) => attributeOf(device, 'model') === 'virtio-mem',
  );
}

function shapeOf(device: XmlElement) {
  const target = childNamed(device, 'target');
  return {
    blockBytes: bytesOf(childNamed(target, 'block')),
    sizeBytes: bytesOf(childNamed(target, 'size')),
  };
}

/** Where nothing is said of single ones, those that it has at its start cannot be unplugged. */
function fixedVcpus(domain: XmlElement): number {
  const listed = elementsNamed(childNamed(domain, 'vcpus'), 'vcpu');
  const vcpu = childNamed(domain, 'vcpu');
  if (listed.length === 0) {
    return wholeNumber(attributeOf(vcpu, 'current') ?? textOf(vcpu), 'vcpu');
  }
  return listed.filter(
    (each) => attributeOf(each, 'enabled') === 'yes' && attributeOf(each, 'hotpluggable') !== 'yes',
  ).length;
}

/** The host cannot take a page from a device that writes to it, or that is encrypted. */
function pinnedBy(domain: XmlElement): string | null {
  if (childNamed(domain, 'launchSecurity') !== undefined) return 'launchSecurity';
  const [hostdev] = elementsNamed(childNamed(domain, 'devices'), 'hostdev');
  if (hostdev !== undefined) return `a passed-through ${attributeOf(hostdev, 'type') ?? 'device'}`;
  return childNamed(childNamed(domain, 'memoryBacking'), 'locked') === undefined
    ? null
    : 'memoryBacking/locked';
}

/** Whether its memory is carved by a device of its own, and not by its balloon. */
export function hasMemoryDevice(xml: string): boolean {
  return memoryDevices(parseXml(xml)).length > 0;
}

/** Its memory device with another goal, for libvirt's call. @throws Error if there is not one */
export function withPlugged(xml: string, pluggedBytes: number): XmlElement {
  const [device] = memoryDevices(parseXml(xml));
  if (device === undefined) throw new Error('it has no virtio-mem device');
  return edit(device, [
    [
      'target',
      (target) =>
        edit(target ?? element('target'), [
          ['requested', () => element('requested', { unit: 'KiB' }, [`${pluggedBytes / 1024}`])],
          // Where its guest has got to is not for us to say.
          ['current', () => null],
        ]),
    ],
  ]);
}
