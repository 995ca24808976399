/**
 * Who has which address on a network: an entry in the subnet's DHCP and one in the DNS, and the same
 * again in the running network. What they agree on is a reservation; whatever else stands under a
 * name that a Secondary could have is stray. Entries of other names are an operator's.
 */
import type { NetworkUpdate } from '../../libvirt/index.ts';
import { serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import { byName, type SecondaryName, stationName } from '../../model/names.ts';
import type { ObservedNetwork, Reservation, Reservations } from '../../model/network.ts';
import { HostError } from '../host-error.ts';
import { subnetIndex, subnetOf } from './network-parts.ts';
import { attributeOf, childNamed, element, elementsNamed, textOf } from './xml-tree.ts';

/** All entries of a definition, or of a running network. */
interface Hosts {
  readonly dhcp: readonly XmlElement[];
  readonly dns: readonly XmlElement[];
}

function hostsOf(network: XmlElement): Hosts {
  return {
    dhcp: elementsNamed(childNamed(subnetOf(network), 'dhcp'), 'host'),
    dns: elementsNamed(childNamed(network, 'dns'), 'host'),
  };
}

/** The names of an entry, of either kind: in the DNS it can have several. */
function namesOf(host: XmlElement): readonly string[] {
  const name = attributeOf(host, 'name');
  const hostnames = elementsNamed(host, 'hostname').map((hostname) => textOf(hostname) ?? '');
  return name === undefined ? hostnames : [name, ...hostnames];
}

export function isOfSecondary(host: XmlElement): boolean {
  return namesOf(host).some((name) => stationName(name) !== undefined);
}

/** @param networks the definition, the running network, or both */
export function readReservations(networks: readonly XmlElement[]): {
  readonly reservations: Reservations;
  readonly stray: readonly SecondaryName[];
} {
  const sides = networks.map(hostsOf);
  const entries = sides.flatMap(({ dhcp, dns }) => [...dhcp, ...dns]);
  const names = new Set(entries.flatMap(namesOf).flatMap((name) => stationName(name) ?? []));
  const reservations = new Map<SecondaryName, Reservation>();
  const stray: SecondaryName[] = [];
  for (const name of [...names].sort(byName)) {
    const reservation = agreed(sides, name);
    if (reservation === null) stray.push(name);
    else reservations.set(name, reservation);
  }
  return { reservations, stray };
}

/** Whose entries there are, and which addresses nobody else can have. */
export function readEntries(
  networks: readonly XmlElement[],
): Pick<ObservedNetwork, 'leases' | 'taken'> {
  const sides = networks.map(hostsOf);
  const leases = sides.flatMap(({ dhcp }) => dhcp);
  const records = sides.flatMap(({ dns }) => dns);
  const named = leases.flatMap((lease): [SecondaryName, Reservation][] => {
    const mac = attributeOf(lease, 'mac')?.toLowerCase();
    const address = attributeOf(lease, 'ip');
    const name = stationName(attributeOf(lease, 'name') ?? '');
    if (mac === undefined || address === undefined || name === undefined) return [];
    return [[name, { mac, address }]];
  });
  const addresses = [...leases, ...records].flatMap((host) => attributeOf(host, 'ip') ?? []);
  return { leases: new Map(named), taken: [...new Set(addresses)].sort() };
}

function agreed(sides: readonly Hosts[], name: SecondaryName): Reservation | null {
  const [first = null, ...others] = sides.map((hosts) => reservationIn(hosts, name));
  return first !== null && others.every((other) => isSame(first, other)) ? first : null;
}

/** Null unless there is one entry of each kind, and they are of one address. */
function reservationIn({ dhcp, dns }: Hosts, name: string): Reservation | null {
  const [lease, ...moreLeases] = dhcp.filter((host) => namesOf(host).includes(name));
  const [record, ...moreRecords] = dns.filter((host) => namesOf(host).includes(name));
  const mac = attributeOf(lease, 'mac')?.toLowerCase();
  const address = attributeOf(lease, 'ip');
  if (moreLeases.length + moreRecords.length > 0 || mac === undefined || address === undefined)
    return null;
  return attributeOf(record, 'ip') === address ? { mac, address } : null;
}

function isSame(a: Reservation, b: Reservation | null): boolean {
  return a.mac === b?.mac && a.address === b.address;
}

/**
 * What has to be told to libvirt, so that a name has this address and no other; null: none at all.
 * @throws HostError `Refused` if somebody else has the address or the MAC
 */
export function updatesFor(
  network: XmlElement,
  name: SecondaryName,
  wanted: Reservation | null,
): readonly NetworkUpdate[] {
  const { dhcp, dns } = hostsOf(network);
  if (wanted !== null) refuseTaken({ dhcp, dns }, name, wanted);
  const isOf = (host: XmlElement) => namesOf(host).includes(name);
  const leases = leaseUpdates(dhcp.filter(isOf), name, wanted).map((each) => ({
    ...each,
    parentIndex: subnetIndex(network),
  }));
  const records = recordUpdates(dns.filter(isOf), name, wanted);
  // The lease comes first and goes last: what a crash leaves half there is known by its MAC.
  return wanted === null ? [...records, ...leases] : [...leases, ...records];
}

/** libvirt would refuse too, but only after the entry of this name is gone. */
function refuseTaken({ dhcp, dns }: Hosts, name: SecondaryName, wanted: Reservation): void {
  for (const host of [...dhcp, ...dns]) {
    const names = namesOf(host);
    if (names.includes(name)) continue;
    const has = [attributeOf(host, 'ip'), attributeOf(host, 'mac')?.toLowerCase()];
    const taken = [wanted.address, wanted.mac].find((each) => has.includes(each));
    if (taken === undefined) continue;
    throw new HostError('Refused', `${names.join(', ') || 'somebody else'} has ${taken} already`);
  }
}

function leaseUpdates(
  found: readonly XmlElement[],
  name: SecondaryName,
  wanted: Reservation | null,
): readonly NetworkUpdate[] {
  const isWanted = (host: XmlElement) =>
    attributeOf(host, 'mac')?.toLowerCase() === wanted?.mac &&
    attributeOf(host, 'ip') === wanted?.address;
  if (wanted !== null && found.length === 1 && found.every(isWanted)) return [];
  return [
    // libvirt finds it by all that is said here.
    ...found.map((host) => update('delete', 'dhcpHost', { ...host, children: [] })),
    ...(wanted === null
      ? []
      : [
          update(
            'addLast',
            'dhcpHost',
            element('host', { mac: wanted.mac, name, ip: wanted.address }),
          ),
        ]),
  ];
}

function recordUpdates(
  found: readonly XmlElement[],
  name: SecondaryName,
  wanted: Reservation | null,
): readonly NetworkUpdate[] {
  const isWanted = (host: XmlElement) => attributeOf(host, 'ip') === wanted?.address;
  if (wanted !== null && found.length === 1 && found.every(isWanted)) return [];
  return [
    ...found.flatMap((host) => withoutName(host, name)),
    ...(wanted === null ? [] : [update('addLast', 'dnsHost', record(wanted.address, [name]))]),
  ];
}

/** Other names at the address of ours are somebody's, and are put back. */
function withoutName(host: XmlElement, name: SecondaryName): readonly NetworkUpdate[] {
  const address = attributeOf(host, 'ip') ?? '';
  const others = namesOf(host).filter((each) => each !== name);
  return [
    // By the address alone: told a name too, libvirt takes whichever entry has one of the two.
    update('delete', 'dnsHost', record(address, [])),
    ...(others.length === 0 ? [] : [update('addLast', 'dnsHost', record(address, others))]),
  ];
}

function record(address: string, names: readonly string[]): XmlElement {
  const hostnames = names.map((name) => element('hostname', {}, [name]));
  return element('host', { ip: address }, hostnames);
}

function update(
  command: NetworkUpdate['command'],
  section: NetworkUpdate['section'],
  entry: XmlElement,
): NetworkUpdate {
  return { command, section, xml: serializeXml(entry) };
}
