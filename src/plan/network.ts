/** The operations for the network of a partition. */
import type { NetworkChange, Reason } from '../diff/change.ts';
import { onePerPath } from '../diff/fields.ts';
import { addressFields, initialNetworkFields } from '../diff/network.ts';
import { bridgeName, networkName, networkUuid, type PartitionOwner } from '../model/identity.ts';
import type { SecondaryName } from '../model/names.ts';
import type {
  NetworkDefinition,
  NetworkFields,
  NetworkRef,
  Reservations,
} from '../model/network.ts';
import { Chain } from './chain.ts';
import type { OperationId } from './operation.ts';
import { reasonsOfFields, reasonsOfNone } from './reasons.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends NetworkChange['kind']> = Extract<NetworkChange, { kind: K }>;

export function networkCreateSteps(
  { name, fields, reservations }: Of<'create'>,
  owner: PartitionOwner,
): Steps {
  const chain = new Chain('network', name);
  const definition = definitionOf(fields, owner);
  chain.add('network.define', 'prepare', { definition, basis: null });
  addReservations(chain, refOf(definition), reservations);
  addStart(chain, refOf(definition), name);
  return {
    impact: 'none',
    reasons: ['not-on-host'],
    fields: initialNetworkFields(fields, reservations),
    waiting: [],
    operations: chain.operations,
  };
}

/** Whose domains a plan leaves as they are; everybody's where not all could be listed. */
export type Staying = ReadonlySet<string> | 'everybody';

/** Who loses their address, once they have let go of it. */
export function givenBack(
  change: NetworkChange | null,
  staying: Staying,
): readonly SecondaryName[] {
  if (change?.kind !== 'update' || staying === 'everybody') return [];
  return change.unreserve.filter((each) => !staying.has(each));
}

/** @param staying whose domains this plan leaves as they are, so that their addresses stay too */
export function networkUpdateSteps(
  change: Of<'update'>,
  owner: PartitionOwner,
  staying: Staying,
): Steps {
  const { name, fields, observed, definition: changed, reserve } = change;
  const unreserve = givenBack(change, staying);
  const chain = new Chain('network', name);
  const network = { uuid: observed.uuid, networkName: observed.networkName };
  // Nobody is on it, or this would have been refused.
  if (change.running.length > 0) chain.add('network.stop', 'prepare', { network });
  if (changed.length > 0) {
    const definition = definitionOf(fields, owner);
    chain.add('network.define', 'prepare', { definition, basis: observed.fingerprint });
  }
  const starts = change.running.length > 0 || change.activate;
  addReservations(chain, network, reserve);
  if (starts) addStart(chain, network, name);
  for (const secondary of unreserve) {
    chain.addAfter([], 'network.unreserve', secondary, 'release', { network, secondary });
  }
  const given = new Map(unreserve.map((each) => [each, observed.reservations.get(each)]));
  const before = new Map(
    [...observed.reservations].filter(([each]) => reserve.has(each) || given.has(each)),
  );
  return {
    impact: observed.active ? 'live' : 'none',
    reasons: reasonsOf(change, change.activate, unreserve.length > 0),
    fields: [...onePerPath([...change.running, ...changed]), ...addressFields(reserve, before)],
    waiting: [],
    operations: chain.operations,
  };
}

function reasonsOf(
  { definition, running, reserve }: Of<'update'>,
  inactive: boolean,
  gone: boolean,
): Reason[] {
  const reasons = reasonsOfFields([...definition, ...running]);
  if (inactive) reasons.push('not-active');
  if (reserve.size > 0 || gone) reasons.push('reservations-changed');
  return reasons;
}

export function networkDeleteSteps(
  { name, observed }: Of<'delete'>,
  context: DeletionContext,
): Steps {
  const chain = new Chain('network', name);
  const network = { uuid: observed.uuid, networkName: observed.networkName };
  if (observed.active) chain.add('network.stop', 'release', { network });
  chain.add('network.undefine', 'release', { network });
  return {
    impact: 'none',
    reasons: reasonsOfNone(context),
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

/**
 * In a later phase than the reservations: made on a network that runs, each of them has libvirt take
 * the network's firewall rules away for half a second, and put them back.
 */
function addStart(chain: Chain, network: NetworkRef, name: string): void {
  chain.addAfter(definesIn(chain), 'network.start', name, 'provision', { network });
}

/** Each by itself, so that whoever starts waits for its own address only. */
function addReservations(chain: Chain, network: NetworkRef, reservations: Reservations): void {
  const after = definesIn(chain);
  for (const [secondary, reservation] of reservations) {
    const args = { network, secondary, reservation };
    chain.addAfter(after, 'network.reserve', secondary, 'prepare', args);
  }
}

function definesIn({ operations }: Chain): readonly OperationId[] {
  return operations.filter(({ kind }) => kind === 'network.define').map(({ id }) => id);
}

function definitionOf(fields: NetworkFields, owner: PartitionOwner): NetworkDefinition {
  return {
    uuid: networkUuid(owner),
    networkName: networkName(owner.partition),
    // Not whatever else the caller knows: this goes into the definition.
    owner: { installation: owner.installation, partition: owner.partition },
    bridge: bridgeName(owner),
    fields,
  };
}

function refOf({ uuid, networkName: name }: NetworkRef): NetworkRef {
  return { uuid, networkName: name };
}
