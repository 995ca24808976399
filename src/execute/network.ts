/** Operations on the network of a partition. */
import { HostError } from '../host/host-error.ts';
import { macAddress } from '../model/identity.ts';
import type { SecondaryName } from '../model/names.ts';
import type { NetworkDefinition, NetworkRef, ObservedNetwork } from '../model/network.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { valueIn } from './value-in.ts';

export async function defineNetwork(
  { definition, basis }: OperationOf<'network.define'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readNetwork(definition, bench);
  if (before !== null && isDefined(before, definition)) return 'already';
  if ((before?.fingerprint ?? null) !== basis) {
    const moved = before === null ? 'has gone' : basis === null ? 'has appeared' : 'was changed';
    throw new HostError('Conflict', `the network ${moved} since it was planned for`);
  }
  await bench.host.networks.define(definition, bench.signal);
  const after = await requireNetwork(definition, bench);
  return observed(isDefined(after, definition), 'defined as it was asked to be');
}

function isDefined({ defined, lastApplied }: ObservedNetwork, { fields }: NetworkDefinition) {
  const same = (is: ObservedNetwork['defined']) =>
    is?.cidr === fields.cidr &&
    is.mode === fields.mode &&
    is.uplink === fields.uplink &&
    is.portIsolation === fields.portIsolation &&
    is.egress === fields.egress &&
    is.networkBytesPerSecond === fields.networkBytesPerSecond;
  return same(defined) && same(lastApplied);
}

export async function startNetwork(
  { network }: OperationOf<'network.start'>,
  bench: Workbench,
): Promise<Done> {
  if ((await requireNetwork(network, bench)).active) return 'already';
  await bench.host.networks.start(network, bench.signal);
  return observed((await requireNetwork(network, bench)).active, 'active');
}

export async function stopNetwork(
  { network }: OperationOf<'network.stop'>,
  bench: Workbench,
): Promise<Done> {
  if (!((await readNetwork(network, bench))?.active ?? false)) return 'already';
  await bench.host.networks.stop(network, bench.signal);
  return observed(!((await readNetwork(network, bench))?.active ?? false), 'stopped');
}

export async function undefineNetwork(
  { network }: OperationOf<'network.undefine'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readNetwork(network, bench)) === null) return 'already';
  await bench.host.networks.undefine(network, bench.signal);
  return observed((await readNetwork(network, bench)) === null, 'gone');
}

export async function reserveAddress(
  { network, secondary, reservation }: OperationOf<'network.reserve'>,
  bench: Workbench,
): Promise<Done> {
  const isSo = (seen: ObservedNetwork) => {
    const there = seen.reservations.get(secondary);
    const same = there?.mac === reservation.mac && there.address === reservation.address;
    return same && !seen.stray.includes(secondary);
  };
  const before = await requireNetwork(network, bench);
  checkEntry(before, secondary, bench);
  if (isSo(before)) return 'already';
  await bench.host.networks.reserve(network, secondary, reservation, bench.signal);
  const after = await requireNetwork(network, bench);
  return observed(isSo(after), `giving ${secondary} its address`);
}

export async function unreserveAddress(
  { network, secondary }: OperationOf<'network.unreserve'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readNetwork(network, bench);
  if (before === null || !mentions(before, secondary)) return 'already';
  checkEntry(before, secondary, bench);
  await bench.host.networks.unreserve(network, secondary, bench.signal);
  const after = await readNetwork(network, bench);
  return observed(after === null || !mentions(after, secondary), `without ${secondary}`);
}

/** @throws HostError `Conflict` if the entry of that name is an operator's: it has another MAC */
function checkEntry(
  { leases }: ObservedNetwork,
  secondary: SecondaryName,
  { us }: Workbench,
): void {
  const ours = macAddress({ ...us, secondary });
  if ((leases.get(secondary)?.mac ?? ours) === ours) return;
  throw new HostError('Conflict', `the network has an entry of somebody else for ${secondary}`);
}

function mentions({ reservations, stray }: ObservedNetwork, secondary: SecondaryName): boolean {
  return reservations.has(secondary) || stray.includes(secondary);
}

function observed(isSo: boolean, what: string): Done {
  if (isSo) return 'applied';
  throw new HostError('Conflict', `the network is not ${what} after all`);
}

async function requireNetwork(ref: NetworkRef, bench: Workbench): Promise<ObservedNetwork> {
  const network = await readNetwork(ref, bench);
  if (network !== null) return network;
  throw new HostError('Conflict', 'the network has gone since it was planned for');
}

/** Null if it is not there. @throws HostError if that cannot be known, or it is not ours */
async function readNetwork(ref: NetworkRef, bench: Workbench): Promise<ObservedNetwork | null> {
  const network = valueIn('the network', await bench.host.networks.find(ref, bench.signal));
  if (network === null) return null;
  checkPartition(`network ${ref.networkName}`, network.owner, bench.us);
  return network;
}
