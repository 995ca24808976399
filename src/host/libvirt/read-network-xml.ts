/** A network's XML to what unnest manages of it. What it does not manage is not looked at. */
import { createHash } from 'node:crypto';
import { serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import { bridgeName, type PartitionOwner } from '../../model/identity.ts';
import {
  gatewayOf,
  NETWORK_MODES,
  type NetworkFields,
  type NetworkMode,
} from '../../model/network.ts';
import { parseObject } from './applied-fields.ts';
import { MARK_APPLIED, markIn, partitionOwnerOf } from './mark.ts';
import { cidrOf, forwardModes, isSubnet, NETWORK_MARK, subnetOf } from './network-parts.ts';
import { attributeOf, childNamed, elementsNamed, elementsOf } from './xml-tree.ts';

export interface ReadNetwork {
  readonly owner: PartitionOwner | null;
  readonly fields: NetworkFields | null;
  readonly lastApplied: NetworkFields | null;
}

export function readNetwork(network: XmlElement): ReadNetwork {
  const mark = markIn(network, NETWORK_MARK);
  const owner = partitionOwnerOf(mark);
  if (owner === null) return { owner, fields: null, lastApplied: null };
  const lastApplied = readApplied(attributeOf(mark, MARK_APPLIED));
  return { owner, fields: readFields(network, owner, lastApplied), lastApplied };
}

/** Null where the definition is none that a document can ask for. What libvirt knows nothing of, the mark says. */
function readFields(
  network: XmlElement,
  owner: PartitionOwner,
  applied: NetworkFields | null,
): NetworkFields | null {
  const subnet = subnetOf(network);
  const cidr = cidrOf(subnet);
  const way = wayOut(childNamed(network, 'forward'));
  const bridge = attributeOf(childNamed(network, 'bridge'), 'name');
  if (cidr === null || way === null || bridge !== bridgeName(owner)) return null;
  if (elementsOf(network).filter(isSubnet).length > 1) return null;
  if (attributeOf(subnet, 'address') !== gatewayOf(cidr)) return null;
  const { portIsolation, egress, networkBytesPerSecond } = applied ?? unfiltered;
  return { cidr, ...way, portIsolation, egress, networkBytesPerSecond };
}

/** Of marks of before there was a packet filter, or before it could do that. */
const unfiltered = { portIsolation: false, egress: null, networkBytesPerSecond: null } as const;

function wayOut(forward: XmlElement | undefined): Pick<NetworkFields, 'mode' | 'uplink'> | null {
  if (forward === undefined) return { mode: 'isolated', uplink: null };
  const said = attributeOf(forward, 'mode') ?? 'nat';
  const mode = (['nat', 'routed'] as const).find((each) => forwardModes[each] === said);
  // libvirt writes the device twice: as an attribute, and as the first of these.
  const interfaces = elementsNamed(forward, 'interface');
  if (mode === undefined || interfaces.length > 1) return null;
  const uplink = attributeOf(forward, 'dev') ?? attributeOf(interfaces[0], 'dev') ?? null;
  return { mode, uplink };
}

/** Null unless every field is there and of its kind: then nobody knows what was last applied. */
function readApplied(text: string | undefined): NetworkFields | null {
  const values = text === undefined ? null : parseObject(text);
  const cidr = values?.get('cidr');
  const mode = values?.get('mode');
  const uplink = values?.get('uplink');
  const portIsolation = values?.get('portIsolation') ?? unfiltered.portIsolation;
  const egress = values?.get('egress') ?? null;
  const networkBytesPerSecond = values?.get('networkBytesPerSecond') ?? null;
  if (typeof cidr !== 'string' || !isMode(mode) || typeof portIsolation !== 'boolean') return null;
  if (uplink !== null && typeof uplink !== 'string') return null;
  if (egress !== null && typeof egress !== 'string') return null;
  if (networkBytesPerSecond !== null && typeof networkBytesPerSecond !== 'number') return null;
  return { cidr, mode, uplink, portIsolation, egress, networkBytesPerSecond };
}

function isMode(value: unknown): value is NetworkMode {
  return NETWORK_MODES.some((mode) => mode === value);
}

/** Of the definition without its entries of hosts, which come and go while it is in use. */
export function networkFingerprint(network: XmlElement): string {
  return createHash('sha256')
    .update(serializeXml(withoutHosts(network)))
    .digest('hex');
}

/** Without empty sections too: libvirt writes none, but an operator may have one with content. */
function withoutHosts(of: XmlElement): XmlElement {
  const isSection = of.name === 'dhcp' || of.name === 'dns';
  const children = elementsOf(of)
    .filter(({ name }) => !(isSection && name === 'host'))
    .map(withoutHosts)
    .filter(
      ({ name, children: left, attributes }) =>
        !((name === 'dhcp' || name === 'dns') && left.length === 0 && attributes.size === 0),
    );
  const texts = of.children.filter((child) => typeof child === 'string' && child.trim() !== '');
  return { ...of, children: [...children, ...texts] };
}
