/**
 * A definition to a network's XML, laid over the tree that is there: entries of hosts, an IPv6
 * subnet or a bandwidth stay. There is no range of addresses, so that a MAC which nobody has
 * reserved an address for gets none.
 */
import { parseXml, serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import {
  gatewayOf,
  netmaskOf,
  type NetworkDefinition,
  type NetworkFields,
} from '../../model/network.ts';
import { MARK_APPLIED, withMark } from './mark.ts';
import { isOfSecondary } from './network-hosts.ts';
import {
  cidrOf,
  forwardModes,
  isInSubnet,
  isSubnet,
  NETWORK_MARK,
  subnetOf,
} from './network-parts.ts';
import { attributeOf, edit, element, keeping, withAttributes } from './xml-tree.ts';

/** @param current the inactive XML of the network that is there, or null to make a new one */
export function writeNetworkXml(definition: NetworkDefinition, current: string | null): string {
  const { owner, bridge, fields } = definition;
  const network = current === null ? newNetwork(definition) : parseXml(current);
  const applied = { [MARK_APPLIED]: writeApplied(fields) };
  const edited = edit(network, [
    ['metadata', (metadata) => withMark(metadata, NETWORK_MARK, owner, applied)],
    ['forward', (forward) => forwardElement(forward, fields)],
    [
      'bridge',
      (found) =>
        withAttributes(found ?? element('bridge', { stp: 'off', delay: '0' }), { name: bridge }),
    ],
  ]);
  const isElsewhere = cidrOf(subnetOf(network)) !== fields.cidr;
  const moved = isElsewhere ? withoutOldNames(edited, fields.cidr) : edited;
  return serializeXml(withSubnet(moved, fields.cidr));
}

function newNetwork({ networkName, uuid }: NetworkDefinition): XmlElement {
  return element('network', {}, [element('name', {}, [networkName]), element('uuid', {}, [uuid])]);
}

/** What is not limited is not said, so that a mark of before there were limits stays as it is. */
function writeApplied(fields: NetworkFields): string {
  const { cidr, mode, uplink, portIsolation, egress, networkBytesPerSecond } = fields;
  const listed = egress === null ? {} : { egress };
  const limited = networkBytesPerSecond === null ? {} : { networkBytesPerSecond };
  return JSON.stringify({ cidr, mode, uplink, portIsolation, ...listed, ...limited });
}

/** Of what is there only the ports and addresses of NAT stay: the rest says where it leads. */
function forwardElement(
  forward: XmlElement | undefined,
  { mode, uplink }: NetworkFields,
): XmlElement | null {
  if (mode === 'isolated') return null;
  const attributes = { mode: forwardModes[mode], ...(uplink === null ? {} : { dev: uplink }) };
  const kept = keeping(forward ?? element('forward'), ({ name }) => name === 'nat');
  return element('forward', attributes, mode === 'nat' ? kept.children : []);
}

function withoutOldNames(network: XmlElement, cidr: string): XmlElement {
  return edit(network, [
    ['dns', (dns) => (dns === undefined ? null : keeping(dns, staysInDns(cidr)))],
  ]);
}

/** In its place, or else at the end; of several only the first is left. */
function withSubnet(network: XmlElement, cidr: string): XmlElement {
  const found = subnetOf(network);
  if (found === undefined) {
    return { ...network, children: [...network.children, subnetElement(undefined, cidr)] };
  }
  const children = network.children.flatMap((child) => {
    if (typeof child === 'string' || !isSubnet(child)) return [child];
    return child === found ? [subnetElement(child, cidr)] : [];
  });
  return { ...network, children };
}

function subnetElement(current: XmlElement | undefined, cidr: string): XmlElement {
  const attributes = new Map(current?.attributes);
  for (const said of ['family', 'prefix']) attributes.delete(said);
  attributes.set('address', gatewayOf(cidr)).set('netmask', netmaskOf(cidr));
  const subnet = { name: 'ip', attributes, children: current?.children ?? [] };
  if (cidrOf(current) === cidr) return subnet;
  return edit(subnet, [
    ['dhcp', (dhcp) => (dhcp === undefined ? null : keeping(dhcp, staysInDhcp(cidr)))],
  ]);
}

/** In another subnet an old address means nothing, and neither does a range of them. */
const staysInDhcp = (cidr: string) => (entry: XmlElement) =>
  entry.name === 'host' ? isInSubnet(attributeOf(entry, 'ip') ?? '', cidr) : entry.name !== 'range';

/** A name with a dot in it is an operator's, and may well lead somewhere else. */
const staysInDns = (cidr: string) => (entry: XmlElement) =>
  entry.name !== 'host' ||
  !isOfSecondary(entry) ||
  isInSubnet(attributeOf(entry, 'ip') ?? '', cidr);
