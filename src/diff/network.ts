/**
 * The partition's network: wanted against there. Reservations move while it is in use; everything
 * else would cut its guests off, and is refused as long as any runs on it.
 */
import type { Observed } from '../model/domain.ts';
import { macAddress, type PartitionOwner } from '../model/identity.ts';
import { PRIMARY_STATION, type SecondaryName } from '../model/names.ts';
import {
  isWithin,
  type NetworkFields,
  type ObservedNetwork,
  type Reservation,
  type Reservations,
} from '../model/network.ts';
import type { DesiredState } from '../model/secondary.ts';
import { allocate } from './addresses.ts';
import type { NetworkChange } from './change.ts';
import { differingKeys, type FieldChange, originOf, type ResourceField } from './fields.ts';
import { blocked, foreignBlock } from './ownership.ts';
import { isPluggedLive } from './nic.ts';
import { withUplink } from './uplink.ts';

export function diffNetwork(desired: DesiredState, observed: Observed): NetworkChange | null {
  const { partition: name, network: seen } = observed;
  const wanted = desired.network;
  if (seen.status === 'unknown') {
    // What no document speaks of is not missed; but not wanted is not the same as not there.
    if (wanted === 'unspoken' && !isAskedFor(desired)) return null;
    return blocked(name, 'HostUnknown', seen.why);
  }
  if (seen.status === 'absent') {
    if (wanted === null || wanted === 'unspoken') return null;
    const fields = withUplink(wanted, desired, observed, null);
    if ('code' in fields) return { kind: 'blocked', name, block: fields };
    const macs = wantedMacs(desired, observed);
    const { reservations } = allocate(macs, fields.cidr, new Map(), []);
    return { kind: 'create', name, fields, reservations };
  }
  const foreign = foreignBlock('network', seen.value.owner, observed);
  if (foreign !== null) {
    // One that nobody asks for is none of our business.
    const unasked = (wanted === null || wanted === 'unspoken') && !isAskedFor(desired);
    return unasked ? null : { kind: 'blocked', name, block: foreign };
  }
  if (wanted === null) return deletion(desired, observed, seen.value);
  const spec = wanted === 'unspoken' ? wanted : withUplink(wanted, desired, observed, seen.value);
  if (spec !== 'unspoken' && 'code' in spec) return { kind: 'blocked', name, block: spec };
  return update(desired, observed, seen.value, spec);
}

function isAskedFor({ secondaries }: DesiredState): boolean {
  return [...secondaries.values()].some(({ network }) => network !== 'None');
}

function deletion(
  { secondaries, primary }: DesiredState,
  observed: Observed,
  network: ObservedNetwork,
): NetworkChange {
  const { partition: name } = observed;
  const isNamed = primary !== null && primary !== 'unspoken';
  if (network.leases.has(PRIMARY_STATION) && (!isNamed || observed.primary.status === 'unknown')) {
    const message =
      'the Primary may be plugged into it, which could not be looked at: take network out of spec.primary.grants and apply that first';
    return blocked(name, 'NetworkInUse', message);
  }
  const staying = usersOf(observed).filter((user) => secondaries.has(user));
  if (staying.length === 0) return { kind: 'delete', name, observed: network };
  return blocked(name, 'NetworkInUse', `${list(staying)} would be cut off from it`);
}

function update(
  desired: DesiredState,
  observed: Observed,
  network: ObservedNetwork,
  spec: NetworkFields | 'unspoken',
): NetworkChange {
  const { partition: name } = observed;
  const fields = spec === 'unspoken' ? (network.defined ?? network.lastApplied) : spec;
  if (fields === null) {
    const message = 'somebody changed it on the host; a Partition document says how it is to be';
    return blocked(name, 'MarkUnreadable', message);
  }
  const definition = differences(network, network.defined, fields, definedKeys);
  const running = network.active
    ? differences(network, network.live, fields, runningKeys).filter(
        ({ field }) => field !== 'uplink' || !isHeldByFilter(network.live, fields),
      )
    : [];
  const users = usersOf(observed);
  if (running.length > 0 && users.length > 0) {
    const paths = running.map(({ path }) => path).join(', ');
    const message = `${list(users)} would be cut off by the change of ${paths}: halt them first`;
    return blocked(name, 'NetworkInUse', message);
  }
  // A definition with another subnet keeps none of those outside it.
  const wantedBy = wantedMacs(desired, observed);
  const macs = withoutTheirs(wantedBy, network);
  const kept = new Map(
    [...held(network, macs)].filter(([, { address }]) => isWithin(address, fields.cidr)),
  );
  const { reservations } = allocate(macs, fields.cidr, kept, network.taken);
  const { reserve, unreserve } = reservationChanges(network, reservations, observed);
  const activate = !network.active;
  const theirs = new Set([...wantedBy.keys()].filter((each) => !macs.has(each)));
  const parts = { definition, running, reserve, unreserve, activate, theirs };
  return { kind: 'update', name, fields, observed: network, ...parts };
}

function reservationChanges(
  { reservations: there, stray, leases }: ObservedNetwork,
  wanted: Reservations,
  us: PartitionOwner,
): { readonly reserve: Reservations; readonly unreserve: readonly SecondaryName[] } {
  const isSo = (name: SecondaryName) => {
    const [is, is2] = [there.get(name), wanted.get(name)];
    return !stray.includes(name) && is?.mac === is2?.mac && is?.address === is2?.address;
  };
  const gone = [...new Set([...there.keys(), ...stray])].filter(
    (name) => !wanted.has(name) && isOurs(name, leases, us),
  );
  return {
    reserve: new Map([...wanted].filter(([name]) => !isSo(name))),
    unreserve: gone.toSorted(),
  };
}

/** An operator's entry has another MAC address, and stays. */
export function isOurs(
  secondary: SecondaryName,
  leases: Reservations,
  { installation, partition }: PartitionOwner,
): boolean {
  return leases.get(secondary)?.mac === macAddress({ installation, partition, secondary });
}

/** Who has an address by now, be it only half of it: it is theirs, unless somebody else has it too. */
function held({ leases }: ObservedNetwork, macs: ReadonlyMap<SecondaryName, string>): Reservations {
  const count = new Map<string, number>();
  for (const { address } of leases.values()) count.set(address, (count.get(address) ?? 0) + 1);
  return new Map(
    [...leases].filter(
      ([name, { mac, address }]) => macs.get(name) === mac && count.get(address) === 1,
    ),
  );
}

/** A name that an operator has given an address is not given another one. */
function withoutTheirs(
  macs: ReadonlyMap<SecondaryName, string>,
  { leases }: ObservedNetwork,
): ReadonlyMap<SecondaryName, string> {
  return new Map([...macs].filter(([name, mac]) => (leases.get(name)?.mac ?? mac) === mac));
}

/** Let out anywhere by libvirt, it gets out where the packet filter lets it. */
function isHeldByFilter(live: NetworkFields | null, { mode }: NetworkFields): boolean {
  return live !== null && live.uplink === null && live.mode === mode;
}

const runningKeys = ['cidr', 'mode', 'uplink'] as const;
/** The filter is told of the last one, and the running network never. */
const definedKeys = [...runningKeys, 'portIsolation', 'egress', 'networkBytesPerSecond'] as const;
const nothing = Object.fromEntries(definedKeys.map((key) => [key, null])) as {
  readonly [K in (typeof definedKeys)[number]]: null;
};

function differences(
  { lastApplied }: ObservedNetwork,
  actual: NetworkFields | null,
  wanted: NetworkFields,
  keys: readonly (keyof NetworkFields)[],
): FieldChange[] {
  const from = actual ?? nothing;
  return differingKeys(from, wanted, keys).map((field) => ({
    field,
    path: networkPath(field),
    from: from[field],
    to: wanted[field],
    impact: 'none',
    origin: originOf(field, from, wanted, lastApplied),
  }));
}

/** Where a document says it. */
export function networkPath(field: keyof NetworkFields): string {
  return field === 'networkBytesPerSecond'
    ? 'spec.limits.networkBandwidthPerSecond'
    : `spec.network.${field}`;
}

/** Everything that a new network is, as a plan shows it. */
export function initialNetworkFields(
  fields: NetworkFields,
  reservations: Reservations,
): FieldChange[] {
  const field = (name: ResourceField, path: string, to: FieldChange['to']): FieldChange[] =>
    to === null || to === false
      ? []
      : [{ field: name, path, from: null, to, impact: 'none', origin: 'document' }];
  return [
    ...definedKeys.flatMap((key) => field(key, networkPath(key), fields[key])),
    ...addressFields(reservations, new Map()),
  ];
}

/** The addresses that are given, changed or, where there is none any more, taken. */
export function addressFields(to: Reservations, from: Reservations): FieldChange[] {
  return [...new Set([...to.keys(), ...from.keys()])].toSorted().map((name) => ({
    field: 'address',
    path: `addresses.${name}`,
    ...addressesBetween(from.get(name), to.get(name)),
    impact: 'none',
    origin: 'document',
  }));
}

/** Of one that stays the same the difference is whose it is. */
function addressesBetween(from: Reservation | undefined, to: Reservation | undefined) {
  const same = from !== undefined && from.address === to?.address;
  const text = (each: Reservation | undefined) =>
    each === undefined ? null : same ? `${each.address} for ${each.mac}` : each.address;
  return { from: text(from), to: text(to) };
}

/** By who wants a NIC on the network, Secondary or Primary: its MAC address. */
function wantedMacs(
  { secondaries, primary }: DesiredState,
  { installation, partition }: Observed,
): ReadonlyMap<SecondaryName, string> {
  const isGranted =
    primary !== null && primary !== 'unspoken' && primary.grants.includes('network');
  const names = [...secondaries.values()]
    .filter(({ network }) => network === 'Partition')
    .map(({ name }) => name);
  return new Map(
    [...names, ...(isGranted ? [PRIMARY_STATION] : [])].map((secondary) => [
      secondary,
      macAddress({ installation, partition, secondary }),
    ]),
  );
}

/** Whose guest runs with a NIC on it. */
function usersOf(observed: Observed): readonly SecondaryName[] {
  const guests = [...observed.domains]
    .filter(([, seen]) => seen.status === 'present' && seen.value.live?.network === 'Partition')
    .map(([name]) => name);
  return [...guests, ...(isPluggedLive(observed) ? [PRIMARY_STATION] : [])].toSorted();
}

const said = (name: string) => (name === PRIMARY_STATION ? 'the Primary' : name);

const namesShownMax = 5;

function list(names: readonly string[]): string {
  const more = names.length - namesShownMax;
  const shown = names.slice(0, namesShownMax).map(said).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
