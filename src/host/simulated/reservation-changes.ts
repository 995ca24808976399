/**
 * Reserving addresses on a simulated network: in its definition, and in the network that runs. Both
 * are asked before either is changed, as behind libvirt.
 */
import type { SecondaryName } from '../../model/names.ts';
import type { NetworkRef, Reservation } from '../../model/network.ts';
import { findNetwork } from './network-changes.ts';
import { refused } from './refusal.ts';
import type { NetworkSide, World } from './world.ts';

export function reserve(
  world: World,
  ref: NetworkRef,
  name: SecondaryName,
  reservation: Reservation,
): void {
  for (const side of sidesFor(world, ref, name, reservation)) setIn(side, name, reservation);
}

/** What a crash leaves behind: the definition is changed first, if there is one. */
export function reserveInDefinition(
  world: World,
  ref: NetworkRef,
  name: SecondaryName,
  reservation: Reservation,
): void {
  const [first] = sidesFor(world, ref, name, reservation);
  if (first !== undefined) setIn(first, name, reservation);
}

export function unreserve(world: World, ref: NetworkRef, name: SecondaryName): void {
  const network = findNetwork(world, ref, `releasing the address of ${name} in`);
  for (const side of [network.definition, network.live]) side?.reservations.delete(name);
}

function sidesFor(
  world: World,
  ref: NetworkRef,
  name: SecondaryName,
  reservation: Reservation,
): readonly NetworkSide[] {
  const verb = `reserving an address for ${name} in`;
  const { definition, live } = findNetwork(world, ref, verb);
  const sides = [definition, live].filter((side) => side !== null);
  for (const side of sides) checkFree(side, name, reservation, `${verb} ${ref.networkName}`);
  return sides;
}

function checkFree(
  { reservations }: NetworkSide,
  name: SecondaryName,
  { mac, address }: Reservation,
  doing: string,
): void {
  for (const [other, taken] of reservations) {
    if (other === name || (taken.mac !== mac && taken.address !== address)) continue;
    throw refused(doing, `${other} has ${address} or ${mac} already`);
  }
}

function setIn(side: NetworkSide, name: SecondaryName, { mac, address }: Reservation): void {
  side.reservations.set(name, { mac, address, inDns: true });
}
