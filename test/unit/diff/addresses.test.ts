import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocate } from '../../../src/diff/addresses.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import {
  addressAt,
  addressesIn,
  gatewayOf,
  isWithin,
  netmaskOf,
} from '../../../src/model/network.ts';

const cidr = '10.20.0.0/24';
const wanted = (...names: readonly string[]) =>
  new Map(names.map((name) => [name as SecondaryName, `52:00:00:00:00:0${name.length}`]));
const none = new Map<SecondaryName, never>();

describe('an address', () => {
  test('is that of the name, whoever else there is, and is kept', () => {
    const { reservations } = allocate(wanted('web', 'db'), cidr, none, []);
    const alone = allocate(wanted('web'), cidr, none, []).reservations;
    expect(reservations.get('web' as SecondaryName)).toEqual(alone.get('web' as SecondaryName));
    const kept = new Map([
      ['web' as SecondaryName, { mac: '52:00:00:00:00:03', address: '10.20.0.99' }],
    ]);
    const again = allocate(wanted('web', 'db'), cidr, kept, ['10.20.0.99']).reservations;
    expect(again.get('web' as SecondaryName)?.address).toBe('10.20.0.99');
  });

  test('is never one that somebody else has, nor the gateway, nor twice the same', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 12 });
    const subnet = fc.constantFrom('10.20.0.0/29', '10.20.0.64/28', '10.20.0.0/24');
    fc.assert(
      fc.property(names, subnet, fc.array(fc.nat(20)), (each, within, held) => {
        const taken = held.map((index) => addressAt(within, index));
        const { reservations, without } = allocate(wanted(...each), within, none, taken);
        const addresses = [...reservations.values()].map(({ address }) => address);
        expect(new Set(addresses).size).toBe(addresses.length);
        expect(addresses.filter((address) => taken.includes(address))).toEqual([]);
        expect(addresses.filter((address) => !isWithin(address, within))).toEqual([]);
        expect(addresses).not.toContain(gatewayOf(within));
        expect(reservations.size + without.length).toBe(each.length);
        // Nobody goes without while there is one left.
        const free =
          addressesIn(within) -
          new Set([...taken, ...addresses].filter((address) => isWithin(address, within))).size;
        expect(Math.min(free, without.length)).toBe(0);
      }),
    );
  });
});

test.each([
  ['10.20.0.0/16', '255.255.0.0', '10.20.0.1', 65_533],
  ['192.168.4.8/29', '255.255.255.248', '192.168.4.9', 5],
])('%s', (of, mask, gateway, count) => {
  expect([netmaskOf(of), gatewayOf(of), addressesIn(of)]).toEqual([mask, gateway, count]);
  expect(isWithin(addressAt(of, 1), of)).toBe(false);
  expect(isWithin(addressAt(of, 2), of)).toBe(true);
  expect(isWithin(addressAt(of, count + 1), of)).toBe(true);
  expect(isWithin(addressAt(of, count + 2), of)).toBe(false);
});
