/**
 * The packet filter of a partition's network: what each Secondary may send, what of it reaches the
 * host, and where it is forwarded to. It only ever takes away: what it lets through, the host's other
 * rules may still drop.
 */
import { bridgeName, filterTable, macAddress, type PartitionOwner, tapName } from './identity.ts';
import { byName, type SecondaryName } from './names.ts';
import { gatewayOf, type NetworkFields, type NetworkMode, type Reservations } from './network.ts';

/** What holds for all of its ports. */
export interface FilterFields {
  /** The host's own address there, and all that its guests may ask of it. */
  readonly gateway: string;
  readonly mode: NetworkMode;
  /** The only interface that it leaves by; null: any that leads to no other partition. */
  readonly uplink: string | null;
  readonly portIsolation: boolean;
  /** Where they may begin something (`egress.ts`); null: anywhere. */
  readonly egress: string | null;
  /** Of what leaves the network, and of what comes in, each; null: not limited. */
  readonly networkBytesPerSecond: number | null;
}

/** The one interface, MAC and address that a Secondary sends from. */
export interface FilterPort {
  readonly tap: string;
  readonly mac: string;
  readonly address: string;
}

export interface FilterRef {
  /** Of every table that it is made of, such as `un_0123456789ab`. */
  readonly table: string;
  readonly bridge: string;
}

export interface FilterRules {
  readonly fields: FilterFields;
  /** By tap. What is plugged in besides them gets nothing through. */
  readonly ports: readonly FilterPort[];
}

export interface ObservedFilter extends FilterRef {
  /** Null: the rules in force are none that unnest makes, or some of them are missing. */
  readonly fields: FilterFields | null;
  readonly ports: readonly FilterPort[];
}

export function filterRefOf(owner: PartitionOwner): FilterRef {
  return { table: filterTable(owner), bridge: bridgeName(owner) };
}

/** Where nothing leaves, nothing of it is limited or listed. */
export function filterFieldsOf({ cidr, ...fields }: NetworkFields): FilterFields {
  const { mode, uplink, portIsolation } = fields;
  const gateway = gatewayOf(cidr);
  const { egress, networkBytesPerSecond } =
    mode === 'isolated' ? { egress: null, networkBytesPerSecond: null } : fields;
  return { gateway, mode, uplink, portIsolation, egress, networkBytesPerSecond };
}

/** An operator's entry has another MAC address, and is no port of ours. */
export function portsOf(
  reservations: Reservations,
  { installation, partition }: PartitionOwner,
): ReadonlyMap<SecondaryName, FilterPort> {
  const ports = [...reservations].flatMap(([secondary, { mac, address }]) => {
    const owner = { installation, partition, secondary };
    if (mac !== macAddress(owner)) return [];
    return [[secondary, { tap: tapName(owner), mac, address }] as const];
  });
  return new Map(ports.sort(([a], [b]) => byName(a, b)));
}

export function samePort(a: FilterPort | undefined, b: FilterPort): boolean {
  return a?.tap === b.tap && a.mac === b.mac && a.address === b.address;
}
