/** A simulated network as the ports show it. */
import { byName, type SecondaryName } from '../../model/names.ts';
import type { ObservedNetwork, Reservation } from '../../model/network.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { NetworkSide, SimulatedNetwork } from './world.ts';

export function observedNetwork(network: SimulatedNetwork): ObservedNetwork {
  const { uuid, networkName, definition, live } = network;
  const shown = definition ?? live;
  const { reservations: _, ...content } = shown ?? { reservations: null };
  return {
    uuid,
    networkName,
    owner: shown?.owner ?? null,
    active: live !== null,
    defined: definition?.fields ?? null,
    live: live?.fields ?? null,
    lastApplied: definition?.lastApplied ?? null,
    ...reservationsOf([definition, live].filter((side) => side !== null)),
    fingerprint: fingerprintOf(content),
  };
}

function reservationsOf(
  sides: readonly NetworkSide[],
): Pick<ObservedNetwork, 'reservations' | 'stray' | 'leases' | 'taken'> {
  const names = new Set(sides.flatMap((side) => [...side.reservations.keys()]));
  const reservations = new Map<SecondaryName, Reservation>();
  const stray: SecondaryName[] = [];
  for (const name of [...names].sort(byName)) {
    const agreed = agreedOn(sides, name);
    if (agreed === null) stray.push(name);
    else reservations.set(name, agreed);
  }
  const all = sides.flatMap((side) => [...side.reservations]);
  const leases = new Map(all.map(([name, { mac, address }]) => [name, { mac, address }]));
  const taken = [...new Set(all.map(([, { address }]) => address))].sort();
  return { reservations, stray, leases, taken };
}

function agreedOn(sides: readonly NetworkSide[], name: SecondaryName): Reservation | null {
  const [first = null, ...others] = sides.map(({ reservations }) => reservations.get(name) ?? null);
  if (first === null || !first.inDns) return null;
  const { mac, address } = first;
  const isSame = (other: typeof first | null) =>
    other !== null && other.inDns && other.mac === mac && other.address === address;
  return others.every(isSame) ? { mac, address } : null;
}
