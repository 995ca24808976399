/**
 * Where devices can be plugged in while a guest runs: on PCI Express each takes a port of its own, which has to
 * be there from the start. libvirt leaves one free; whatever is written here leaves more.
 */
import type { XmlElement, XmlNode } from '../../libvirt/xml.ts';
import { attributeOf, childNamed, element, elementsNamed, elementsOf } from './xml-tree.ts';

/** As many as are one slot of the root complex, which costs a guest that boots next to nothing. */
const PORTS_SPARE = 8;

/** Of a machine that is not PCI Express: none. */
export function freePorts(domain: XmlElement): number {
  return freeBuses(elementsOf(childNamed(domain, 'devices'))).length;
}

function freeBuses(devices: readonly XmlElement[]): readonly number[] {
  const taken = new Set(devices.flatMap(busOf));
  return devices
    .filter(isOpenPort)
    .map(indexOf)
    .filter((index) => !taken.has(index));
}

/** For a definition: with so many ports more that enough are free beside all that it has. */
export function withSparePorts(devices: readonly XmlNode[]): readonly XmlNode[] {
  const elements = devices.filter((child) => typeof child !== 'string');
  if (!elements.some((device) => isPci(device) && modelOf(device) === 'pcie-root')) return devices;
  const hasSerial = elements.some((device) => attributeOf(device, 'type') === 'virtio-serial');
  const taking = elements.filter(
    (each) => takesPort(each) && !(hasSerial && each.name === 'channel'),
  );
  const free = freeBuses(elements).length - taking.length;
  const first = Math.max(...elements.filter(isPci).map(indexOf)) + 1;
  const added = Array.from({ length: Math.max(0, PORTS_SPARE - free) }, (_, at) =>
    element('controller', { type: 'pci', index: `${first + at}`, model: PORT }),
  );
  return [...devices, ...added];
}

const PORT = 'pcie-root-port';

function isPci(device: XmlElement): boolean {
  return device.name === 'controller' && attributeOf(device, 'type') === 'pci';
}

function isOpenPort(device: XmlElement): boolean {
  const isPort = isPci(device) && modelOf(device) === PORT;
  return isPort && attributeOf(childNamed(device, 'target'), 'hotplug') !== 'off';
}

function modelOf(device: XmlElement): string | undefined {
  return attributeOf(device, 'model');
}

function indexOf(controller: XmlElement): number {
  return Number(attributeOf(controller, 'index') ?? '0');
}

function busOf(device: XmlElement): readonly number[] {
  return elementsNamed(device, 'address')
    .filter((address) => attributeOf(address, 'type') === 'pci')
    .map((address) => Number(attributeOf(address, 'bus') ?? '0'));
}

/** What libvirt will give one of those that are there: a new device has no address yet. */
function takesPort(device: XmlElement): boolean {
  if (busOf(device).length > 0) return false;
  switch (device.name) {
    case 'disk':
      return attributeOf(childNamed(device, 'target'), 'bus') === 'virtio';
    // It brings the controller that it is on.
    case 'channel':
      return attributeOf(childNamed(device, 'target'), 'type') === 'virtio';
    case 'interface':
    case 'memballoon':
    case 'rng':
    case 'vsock':
      return true;
    default:
      return false;
  }
}
