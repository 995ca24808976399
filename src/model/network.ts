/**
 * The network of a partition: one bridge, one subnet, an address for each Secondary that has a NIC
 * on it. Who has which address follows from the documents and from who has one already, so that
 * nobody's address changes because somebody else came or went.
 */
import type { NetworkUuid, PartitionOwner } from './identity.ts';
import type { SecondaryName } from './names.ts';

/** How it leaves the host. */
export const NETWORK_MODES = ['nat', 'routed', 'isolated'] as const;
export type NetworkMode = (typeof NETWORK_MODES)[number];

/**
 * `cidr` and `mode` cannot be changed while guests are on it, nor can `uplink` once it is one: what
 * leaves by whichever the host routes by, the packet filter holds to one.
 */
export interface NetworkFields {
  /** Such as `10.20.0.0/24`. */
  readonly cidr: string;
  readonly mode: NetworkMode;
  /** The host's interface that it leaves by; null: whichever the host routes by. */
  readonly uplink: string | null;
  /**
   * Whether Secondaries reach each other (as libvirt's `<port isolated>` and Incus's
   * `security.port_isolation`). Only the packet filter knows: guests stay on the network.
   */
  readonly portIsolation: boolean;
  /** Where Secondaries may begin something (`egress.ts`); null: anywhere. The filter's, as the next. */
  readonly egress: string | null;
  /** What all of them together may send out of it and, once more, be sent; null: not limited. */
  readonly networkBytesPerSecond: number | null;
}

export interface Reservation {
  /** In lower case. */
  readonly mac: string;
  readonly address: string;
}

export type Reservations = ReadonlyMap<SecondaryName, Reservation>;

export interface NetworkRef {
  readonly uuid: NetworkUuid;
  readonly networkName: string;
}

/** All that `network.define` needs. */
export interface NetworkDefinition extends NetworkRef {
  readonly owner: PartitionOwner;
  readonly bridge: string;
  readonly fields: NetworkFields;
}

export interface ObservedNetwork extends NetworkRef {
  /** Null: no mark of ours, so it is foreign whatever its name. */
  readonly owner: PartitionOwner | null;
  readonly active: boolean;
  /** Null where the definition is none that a document can ask for: somebody edited it. */
  readonly defined: NetworkFields | null;
  /** What runs; null where nothing does, or nothing that a document can ask for. */
  readonly live: NetworkFields | null;
  /** What unnest last defined it as; null where nobody knows any more. */
  readonly lastApplied: NetworkFields | null;
  /** What the definition and, where it is active, the running network agree on. */
  readonly reservations: Reservations;
  /** Names whose reservation is spelled differently in the two, or is none of ours. */
  readonly stray: readonly SecondaryName[];
  /** What each name has in DHCP, in any of the two: whose entry it is follows from the MAC. */
  readonly leases: Reservations;
  /** Every address that anybody has, an operator's entries included. */
  readonly taken: readonly string[];
  /** A digest of the definition without the reservations, which change while it is in use. */
  readonly fingerprint: string;
}

/** What it is to be as far as anybody knows; null: nobody does. */
export function fieldsOfNetwork(
  network: Pick<ObservedNetwork, 'lastApplied' | 'defined' | 'live'>,
): NetworkFields | null {
  return network.lastApplied ?? network.defined ?? network.live;
}

/** The first address of the subnet is the host's own. */
export function gatewayOf(cidr: string): string {
  return addressAt(cidr, 1);
}

export function netmaskOf(cidr: string): string {
  return dotted(2 ** 32 - sizeOf(cidr));
}

/** How many Secondaries can have an address: all but network, host and broadcast. */
export function addressesIn(cidr: string): number {
  return sizeOf(cidr) - 3;
}

/** @param index from 0: the network's own; 1: the gateway; from 2: Secondaries */
export function addressAt(cidr: string, index: number): string {
  return dotted(numberOf(cidr) + index);
}

/** Whether a Secondary on that subnet can have that address. */
export function isWithin(address: string, cidr: string): boolean {
  const index = numberOf(address) - numberOf(cidr);
  return index >= 2 && index <= sizeOf(cidr) - 2;
}

/** Whether it is any address of that subnet. */
export function isCovered(address: string, cidr: string): boolean {
  const index = numberOf(address) - numberOf(cidr);
  return index >= 0 && index < sizeOf(cidr);
}

function numberOf(text: string): number {
  const [address = ''] = text.split('/');
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function sizeOf(cidr: string): number {
  return 2 ** (32 - Number(cidr.split('/')[1]));
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
