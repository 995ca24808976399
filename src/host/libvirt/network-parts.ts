/** The places in a network's XML that unnest manages: reading and writing agree on them here. */
import type { XmlElement } from '../../libvirt/xml.ts';
import type { NetworkMode } from '../../model/network.ts';
import { addressAt } from '../../model/network.ts';
import type { MarkName } from './mark.ts';
import { attributeOf, elementsNamed } from './xml-tree.ts';

export const NETWORK_MARK = 'unnest:network' satisfies MarkName;

/** libvirt's `<forward mode>`; an isolated network has no `<forward>`. */
export const forwardModes = { nat: 'nat', routed: 'route' } as const satisfies Record<
  Exclude<NetworkMode, 'isolated'>,
  string
>;

/** An IPv6 subnet beside ours is an operator's. */
export function isSubnet(element: XmlElement): boolean {
  return element.name === 'ip' && (attributeOf(element, 'family') ?? 'ipv4') === 'ipv4';
}

/** Where the subnet stands among all `<ip>`, which is how libvirt wants it named; -1: nowhere. */
export function subnetIndex(network: XmlElement): number {
  return elementsNamed(network, 'ip').findIndex(isSubnet);
}

export function subnetOf(network: XmlElement): XmlElement | undefined {
  return elementsNamed(network, 'ip')[subnetIndex(network)];
}

/** The subnet that an `<ip>` is in, such as `10.20.0.0/24`; null if it does not say so. */
export function cidrOf(subnet: XmlElement | undefined): string | null {
  const address = numberOf(attributeOf(subnet, 'address') ?? '');
  const prefix = prefixOf(subnet);
  if (address === null || prefix === null) return null;
  const size = 2 ** (32 - prefix);
  return `${addressAt('0.0.0.0/0', address - (address % size))}/${prefix}`;
}

export function isInSubnet(address: string, cidr: string): boolean {
  const at = numberOf(address);
  const [base = '', prefix] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  return at !== null && at - (at % size) === numberOf(base);
}

/** libvirt keeps whichever of the two was written. */
function prefixOf(subnet: XmlElement | undefined): number | null {
  const prefix = attributeOf(subnet, 'prefix');
  if (prefix !== undefined) return /^(?:[12]?[0-9]|3[0-2])$/.test(prefix) ? Number(prefix) : null;
  const mask = numberOf(attributeOf(subnet, 'netmask') ?? '');
  const bits = mask === null ? NaN : 32 - Math.log2(2 ** 32 - mask);
  return Number.isInteger(bits) ? bits : null;
}

/** Null if it is no IPv4 address. */
function numberOf(address: string): number | null {
  const octets = address.split('.');
  const isOctet = (text: string) => /^[0-9]{1,3}$/.test(text) && Number(text) < 256;
  if (octets.length !== 4 || !octets.every(isOctet)) return null;
  return octets.reduce((sum, octet) => sum * 256 + Number(octet), 0);
}
