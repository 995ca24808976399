/** Operations on the packet filter: what the kernel shows afterwards is what counts. */
import { HostError } from '../host/host-error.ts';
import {
  type FilterFields,
  type FilterPort,
  type FilterRef,
  type FilterRules,
  type ObservedFilter,
  samePort,
} from '../model/filter.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { valueIn } from './value-in.ts';

export async function applyFilter(
  { filter, fields, ports }: OperationOf<'filter.apply'>,
  bench: Workbench,
): Promise<Done> {
  const rules = { fields, ports: ports.map(({ tap, mac, address }) => ({ tap, mac, address })) };
  if (isInForce(await readFilter(filter, bench), rules)) return 'already';
  await bench.host.filters.apply(filter, rules, bench.signal);
  if (isInForce(await readFilter(filter, bench), rules)) return 'applied';
  // Also where another version of nft shows the same rules in other words.
  throw new HostError('Refused', `the kernel does not show the rules of ${filter.table} as told`);
}

export async function closePort(
  { filter, tap }: OperationOf<'filter.close'>,
  bench: Workbench,
): Promise<Done> {
  if (!isOpen(await readFilter(filter, bench), tap)) return 'already';
  await bench.host.filters.close(filter, tap, bench.signal);
  if (!isOpen(await readFilter(filter, bench), tap)) return 'applied';
  throw new HostError('Conflict', `the port of ${tap} is still open after it was closed`);
}

export async function removeFilter(
  { filter }: OperationOf<'filter.remove'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readFilter(filter, bench)) === null) return 'already';
  await bench.host.filters.remove(filter, bench.signal);
  if ((await readFilter(filter, bench)) === null) return 'applied';
  throw new HostError('Conflict', `${filter.table} is still there after it was removed`);
}

function isInForce(seen: ObservedFilter | null, { fields, ports }: FilterRules): boolean {
  if (seen === null || seen.fields === null || seen.ports.length !== ports.length) return false;
  const there = new Map(seen.ports.map((port) => [port.tap, port]));
  return (
    sameFields(seen.fields, fields) && ports.every((port) => samePort(there.get(port.tap), port))
  );
}

function sameFields(a: FilterFields, b: FilterFields): boolean {
  return (
    a.gateway === b.gateway &&
    a.mode === b.mode &&
    a.uplink === b.uplink &&
    a.portIsolation === b.portIsolation &&
    a.egress === b.egress &&
    a.networkBytesPerSecond === b.networkBytesPerSecond
  );
}

function isOpen(seen: ObservedFilter | null, tap: FilterPort['tap']): boolean {
  return seen?.ports.some((port) => port.tap === tap) ?? false;
}

/** Null if it is not there. @throws HostError if that cannot be known */
async function readFilter(
  ref: FilterRef,
  { host, signal }: Workbench,
): Promise<ObservedFilter | null> {
  return valueIn(ref.table, await host.filters.find(ref, signal));
}
