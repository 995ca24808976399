/** What an operator says of a partition's network: how much of it, and what it comes to. */
import { describe, expect, test } from 'vitest';
import { bundleOf, diagnosticsOf, documentOf } from './parsing.ts';

const network = 'network: { cidr: 10.20.0.0/24 }';
const limited = (rate: string, more = network) =>
  documentOf('Partition', 'team-a', [
    `limits: { vcpus: 4, memory: 4GiB, storage: 1GiB, secondaries: 4, networkBandwidthPerSecond: ${rate} }`,
    more,
  ]);
const fieldsOf = (text: string) => bundleOf([text]).network;

describe('the rate of a network', () => {
  test.each([
    ['1KiB', 2 ** 10],
    ['125MiB', 125 * 2 ** 20],
    ['16GiB', 2 ** 34],
  ])('may be %s', (rate, networkBytesPerSecond) => {
    expect(bundleOf([limited(rate)]).notYet).toEqual([]);
    expect(fieldsOf(limited(rate))).toMatchObject({ networkBytesPerSecond });
  });

  // The kernel would refuse 17.1 GiB, and older ones count wrong.
  test.each(['0KiB', '17GiB', '1TiB'])('may not be %s', (rate) => {
    expect(diagnosticsOf([limited(rate)])).toMatchObject([
      {
        code: 'InvalidValue',
        path: 'spec.limits.networkBandwidthPerSecond',
        message: expect.stringContaining('from 1KiB to 16GiB'),
      },
    ]);
  });

  test('is none without limits, and of no use without a network', () => {
    const unlimited = documentOf('Partition', 'team-a', [network]);
    expect(fieldsOf(unlimited)).toMatchObject({ networkBytesPerSecond: null });
    expect(fieldsOf(limited('1MiB', 'policy: {}'))).toBeNull();
  });
});
