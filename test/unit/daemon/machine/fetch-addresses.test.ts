/** Which addresses may be connected to when an Image is fetched: the table of special addresses, from both sides. */
import { describe, expect, test } from 'vitest';
import { mayConnect } from '../../../../src/daemon/machine/fetch-addresses.ts';

const may = (address: string) => {
  const family = address.includes(':') ? 6 : 4;
  return [false, true].map((privates) => mayConnect({ address, family }, privates));
};

describe('an address', () => {
  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '172.32.0.1',
    '192.167.255.255',
    '198.17.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00::1',
  ])('%s is of a public network', (address) => {
    expect(may(address)).toEqual([true, true]);
  });

  test.each([
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '::1',
    'fc00::1',
    'fdff::1',
  ])('%s needs the operator’s word', (address) => {
    expect(may(address)).toEqual([false, true]);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '192.0.0.8',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:1.1.1.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
  ])('%s is never connected to', (address) => {
    expect(may(address)).toEqual([false, false]);
  });

  test('of a family that nobody knows, or that is none', () => {
    expect(mayConnect({ address: '1.1.1.1', family: 5 }, true)).toBe(false);
    expect(mayConnect({ address: 'localhost', family: 6 }, true)).toBe(false);
  });
});
