/**
 * The packet filter of the partition's network: what is to be in force for those who have an address
 * there, against what is. It follows from the network, and no document speaks of it by itself.
 */
import type { Observed } from '../model/domain.ts';
import {
  type FilterFields,
  filterFieldsOf,
  type FilterPort,
  type ObservedFilter,
  portsOf,
} from '../model/filter.ts';
import { samePartition } from '../model/identity.ts';
import { byName, type SecondaryName } from '../model/names.ts';
import type { NetworkFields, Reservations } from '../model/network.ts';
import type { FilterChange, NetworkChange } from './change.ts';
import { differingKeys, type FieldChange } from './fields.ts';
import { networkPath } from './network.ts';
import { blocked } from './ownership.ts';

export function diffFilter(network: NetworkChange | null, observed: Observed): FilterChange | null {
  const { partition: name, filter: seen } = observed;
  const wanted = wantedBy(network, observed);
  if (wanted === 'unknown') return null;
  if (wanted === null) {
    // On a host that cannot say so, one that nobody wants is not missed.
    return seen.status === 'present' ? { kind: 'delete', name, observed: seen.value } : null;
  }
  const ports = portsOf(wanted.reservations, observed);
  const fields = filterFieldsOf(wanted.fields);
  switch (seen.status) {
    case 'unknown':
      return blocked(name, 'HostUnknown', seen.why);
    case 'absent':
      return { kind: 'create', name, fields, ports };
    case 'present': {
      const changes = [...differences(seen.value, fields), ...portChanges(seen.value, ports)];
      return { kind: 'update', name, fields, ports, observed: seen.value, changes };
    }
  }
}

interface Wanted {
  readonly fields: NetworkFields;
  /** An address that is to be given back is somebody's until it has been. */
  readonly reservations: Reservations;
}

/** Null: there is to be no network. `unknown`: it cannot be told from what could be read. */
function wantedBy(network: NetworkChange | null, observed: Observed): Wanted | 'unknown' | null {
  switch (network?.kind) {
    case undefined:
      return observed.network.status === 'absent' ? null : 'unknown';
    case 'create':
      return network;
    case 'update': {
      const { fields, observed: there, reserve } = network;
      return { fields, reservations: new Map([...there.reservations, ...reserve]) };
    }
    case 'delete':
      return null;
    case 'blocked':
      return wantedByWhatIs(observed);
  }
}

/** Whatever is in the way of a change of the network, its guests are still kept apart on it. */
function wantedByWhatIs({ network, ...us }: Observed): Wanted | 'unknown' {
  if (network.status !== 'present') return 'unknown';
  const { owner, live, defined, lastApplied, reservations } = network.value;
  const fields = live ?? defined ?? lastApplied;
  if (!samePartition(owner, us) || fields === null) return 'unknown';
  // What changes under whoever is on it, the definition says. So does the uplink of one that libvirt
  // lets out anywhere.
  const { portIsolation, egress, networkBytesPerSecond } = defined ?? fields;
  const uplink = fields.uplink ?? (defined?.mode === fields.mode ? defined.uplink : null);
  return {
    fields: { ...fields, uplink, portIsolation, egress, networkBytesPerSecond },
    reservations,
  };
}

const keys = [
  'gateway',
  'mode',
  'uplink',
  'portIsolation',
  'egress',
  'networkBytesPerSecond',
] as const;

/** The kernel keeps no note of who has set it. */
function change(
  field: FieldChange['field'],
  path: string,
  from: FieldChange['from'],
  to: FieldChange['to'],
): FieldChange {
  return { field, path, from, to, impact: 'live', origin: 'unknown' };
}

function differences({ fields: from }: ObservedFilter, to: FilterFields): FieldChange[] {
  if (from === null) {
    return [change('rules', 'rules', 'changed by somebody', 'as they are to be')];
  }
  return differingKeys(from, to, keys).map((field) =>
    change(field, pathOf(field), from[field], to[field]),
  );
}

function pathOf(field: (typeof keys)[number]): string {
  return field === 'gateway' ? field : networkPath(field);
}

/** Of those that are to be there, and of those that nobody has. */
function portChanges(
  { ports: there }: ObservedFilter,
  wanted: ReadonlyMap<SecondaryName, FilterPort>,
): FieldChange[] {
  const byTap = new Map(there.map((port) => [port.tap, port]));
  const changes = [...wanted].flatMap(([name, port]) => {
    const is = byTap.get(port.tap);
    byTap.delete(port.tap);
    return portChange(name, is, port);
  });
  const strangers = [...byTap.values()].sort((a, b) => byName(a.tap, b.tap));
  return [...changes, ...strangers.flatMap((port) => portChange(port.tap, port, undefined))];
}

function portChange(
  name: string,
  from: FilterPort | undefined,
  to: FilterPort | undefined,
): FieldChange[] {
  const [is, shall] = [textOf(from), textOf(to)];
  return is === shall ? [] : [change('port', `ports.${name}`, is, shall)];
}

function textOf(port: FilterPort | undefined): string | null {
  return port === undefined ? null : `${port.address} from ${port.mac}`;
}

/** Everything that a new filter is, as a plan shows it. */
export function initialFilterFields(
  fields: FilterFields,
  ports: ReadonlyMap<SecondaryName, FilterPort>,
): FieldChange[] {
  const made = (field: FieldChange['field'], path: string, to: FieldChange['to']): FieldChange => {
    return { field, path, from: null, to, impact: 'none', origin: 'document' };
  };
  const said = keys.filter((key) => fields[key] !== null && fields[key] !== false);
  return [
    ...said.map((key) => made(key, pathOf(key), fields[key])),
    ...[...ports].map(([name, port]) => made('port', `ports.${name}`, textOf(port))),
  ];
}

/** Whether that Secondary has its port, so that it can be closed. */
export function isOpen({ ports }: ObservedFilter, { tap }: FilterPort): boolean {
  return ports.some((port) => port.tap === tap);
}
