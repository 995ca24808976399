/**
 * What each mutating call does to a simulated host's networks, and what it refuses, in libvirt's
 * words. Of the host's interfaces nothing is known, so no two networks are in each other's way.
 */
import { BlockList } from 'node:net';
import type { NetworkDefinition, NetworkRef } from '../../model/network.ts';
import { refused } from './refusal.ts';
import type { NetworkSide, SimulatedNetwork, World } from './world.ts';

export function defineNetwork(world: World, wanted: NetworkDefinition): void {
  const { uuid, networkName, owner, fields } = wanted;
  const current = world.networks.get(uuid) ?? null;
  const other = current === null ? networkNamed(world, networkName) : null;
  if (other !== null) {
    throw refused(`defining network ${networkName}`, `it already exists with uuid ${other.uuid}`);
  }
  // Of a network without a definition libvirt shows what runs.
  const before = current?.definition ?? current?.live;
  const kept = [...(before?.reservations ?? [])].filter(([, { address }]) =>
    isInSubnet(address, fields.cidr),
  );
  world.networks.set(uuid, {
    uuid,
    networkName: current?.networkName ?? networkName,
    definition: { owner, fields, lastApplied: fields, reservations: new Map(kept) },
    live: current?.live ?? null,
  });
}

export function startNetwork(world: World, ref: NetworkRef): void {
  const network = findNetwork(world, ref, 'starting');
  if (network.live !== null) {
    throw refused(`starting network ${ref.networkName}`, 'network is already active');
  }
  network.live = copyOf(network.definition);
}

export function stopNetwork(world: World, ref: NetworkRef): void {
  const network = findNetwork(world, ref, 'stopping');
  if (network.live === null) {
    throw refused(`stopping network ${ref.networkName}`, 'network is not active');
  }
  network.live = null;
  if (network.definition === null) world.networks.delete(network.uuid);
}

/** One that is active goes on without a definition. */
export function undefineNetwork(world: World, ref: NetworkRef): void {
  const network = findNetwork(world, ref, 'undefining');
  if (network.definition === null) {
    throw refused(`undefining network ${ref.networkName}`, "can't undefine transient network");
  }
  network.definition = null;
  if (network.live === null) world.networks.delete(network.uuid);
}

export function findNetwork(world: World, ref: NetworkRef, verb: string): SimulatedNetwork {
  const network = world.networks.get(ref.uuid);
  if (network !== undefined) return network;
  throw refused(`${verb} network ${ref.networkName}`, 'Network not found');
}

export function networkNamed({ networks }: World, name: string): SimulatedNetwork | null {
  return [...networks.values()].find(({ networkName }) => networkName === name) ?? null;
}

/** What is reserved in the one is not reserved in the other. */
function copyOf(side: NetworkSide | null): NetworkSide | null {
  return side && { ...side, reservations: new Map(side.reservations) };
}

function isInSubnet(address: string, cidr: string): boolean {
  const [base = '', prefix] = cidr.split('/');
  const subnet = new BlockList();
  subnet.addSubnet(base, Number(prefix));
  return subnet.check(address);
}
