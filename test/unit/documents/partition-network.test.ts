/** What an operator says of a partition's network: how much of it, and what it comes to. */
import { describe, expect, test } from 'vitest';
import { EGRESS_PATTERN, egressRules, egressText } from '../../../src/model/egress.ts';
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
    expect(fieldsOf(unlimited)).toMatchObject({ egress: null, networkBytesPerSecond: null });
    expect(fieldsOf(limited('1MiB', 'policy: {}'))).toBeNull();
  });
});

describe('the list of where Secondaries may begin something', () => {
  const listed = (egress: string, more = '') =>
    documentOf('Partition', 'team-a', [
      `network: { cidr: 10.20.0.0/24, egress: ${egress}${more} }`,
    ]);

  test.each([
    ['[]', ''],
    ['[{ cidr: 10.0.0.0/8 }]', '10.0.0.0/8'],
    ['[{ cidr: 0.0.0.0/0, protocol: icmp }]', '0.0.0.0/0 icmp'],
    [
      '[{ cidr: 10.0.0.0/8 }, { cidr: 1.1.1.1/32, protocol: tcp, ports: [8443, 443] }]',
      '1.1.1.1/32 tcp 443 8443, 10.0.0.0/8',
    ],
    [
      '[{ cidr: 1.1.1.1/32, protocol: tcp, ports: [443, 8443] }, { cidr: 10.0.0.0/8 }, { cidr: 10.0.0.0/8 }]',
      '1.1.1.1/32 tcp 443 8443, 10.0.0.0/8',
    ],
  ])('%s is one text, whatever its order', (egress, text) => {
    expect(fieldsOf(listed(egress))).toMatchObject({ egress: text });
    expect(text).toMatch(EGRESS_PATTERN);
    expect(egressText(egressRules(text))).toBe(text);
  });

  test('is null without one, which is anywhere', () => {
    expect(fieldsOf(documentOf('Partition', 'team-a', [network]))).toMatchObject({ egress: null });
  });

  test.each([
    ['[{ cidr: 10.0.0.1/8 }]', 'egress[0].cidr', 'the first address of the subnet: 10.0.0.0/8'],
    ['[{ cidr: 10.0.0.0/33 }]', 'egress[0].cidr', 'from /0 to /32'],
    ['[{ cidr: 10.0.0.0/08 }]', 'egress[0].cidr', 'from /0 to /32'],
    ['[{ cidr: 10.0.0 }]', 'egress[0].cidr', 'IPv4 addresses with a prefix'],
    ['[{ cidr: 10.0.0.256/32 }]', 'egress[0].cidr', 'four numbers from 0 to 255'],
    ['[{ cidr: "::/0" }]', 'egress[0].cidr', 'IPv4 addresses with a prefix'],
    ['[{ cidr: 1.1.1.1/32, ports: [1] }]', 'egress[0].protocol', 'tcp or udp'],
    ['[{ cidr: 1.1.1.1/32, protocol: icmp, ports: [1] }]', 'egress[0].protocol', 'tcp or udp'],
    ['[{ cidr: 1.1.1.1/32, protocol: tcp, ports: [] }]', 'egress[0].ports', 'at least one port'],
    ['[{ cidr: 1.1.1.1/32, protocol: tcp, ports: [0] }]', 'egress[0].ports[0]', 'from 1 to 65535'],
    [`[${'{ cidr: 1.1.1.1/32 },'.repeat(65)}]`, 'egress', 'at most 64 entries'],
  ])('is not %s', (egress, path, message) => {
    expect(diagnosticsOf([listed(egress)])).toMatchObject([
      { path: `spec.network.${path}`, message: expect.stringContaining(message) },
    ]);
  });

  test('is of no use where nothing leaves', () => {
    expect(diagnosticsOf([listed('[]', ', mode: isolated')])).toMatchObject([
      { path: 'spec.network.egress', message: expect.stringContaining('no egress') },
    ]);
  });
});
