/**
 * Who gets which address. Whoever has one keeps it; a newcomer gets the place that its name points
 * at, or the next free one, so that the same documents give the same addresses on any empty host. An
 * address that is to be given back is not free before it has been.
 */
import type { SecondaryName } from '../model/names.ts';
import { byName } from '../model/names.ts';
import { addressAt, addressesIn, type Reservation, type Reservations } from '../model/network.ts';

export interface Allocation {
  readonly reservations: Reservations;
  /** Who got none, because there are no more. */
  readonly without: readonly SecondaryName[];
}

/**
 * @param there the reservations that exist
 * @param held every address that somebody has, whoever it is
 */
export function allocate(
  wanted: ReadonlyMap<SecondaryName, string>,
  cidr: string,
  there: Reservations,
  held: readonly string[],
): Allocation {
  const places = addressesIn(cidr);
  const taken = new Set(held);
  const reservations = new Map<SecondaryName, Reservation>();
  const without: SecondaryName[] = [];
  for (const [name, mac] of [...wanted].sort(([a], [b]) => byName(a, b))) {
    const address = there.get(name)?.address ?? freeAddress(name, cidr, places, taken);
    if (address === null) {
      without.push(name);
      continue;
    }
    taken.add(address);
    reservations.set(name, { mac, address });
  }
  return { reservations, without };
}

/** Behind the network's own address and the gateway. */
const firstIndex = 2;

function freeAddress(
  name: SecondaryName,
  cidr: string,
  places: number,
  taken: ReadonlySet<string>,
): string | null {
  const start = hash(name) % places;
  const stride = strideFor(hash(`${name} stride`), places);
  for (let step = 0, place = start; step < places; step += 1) {
    const address = addressAt(cidr, firstIndex + place);
    if (!taken.has(address)) return address;
    place = (place + stride) % places;
  }
  return null;
}

/** One that comes by every place; not 1, or everybody who meets a long run walks to its end. */
function strideFor(seed: number, places: number): number {
  let stride = 1 + (seed % (places - 1));
  while (commonDivisor(stride, places) !== 1) stride = (stride % (places - 1)) + 1;
  return stride;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** FNV-1a with 32 bits (Fowler, Noll, Vo). Not a UUID: those differ until an installation has its id. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) {
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return value;
}
