/**
 * What the packet filters of every host must do behind the ports: what the real kernel shows by nft
 * afterwards, and what a simulated host says, are held against the same lines.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Host, HostView } from '../../src/host/ports.ts';
import { type EgressRule, egressText } from '../../src/model/egress.ts';
import type { FilterFields, FilterPort, FilterRules } from '../../src/model/filter.ts';
import { filterRefOf, portsOf } from '../../src/model/filter.ts';
import { macAddress } from '../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../src/model/names.ts';
import { NETWORK_MODES } from '../../src/model/network.ts';
import { installation } from '../support/passes.ts';

/** A host without filters of the partitions `filter-1`, `filter-2` and so on. */
export interface FilterSubject {
  readonly host: Pick<Host, 'filters'>;
  readonly view: Pick<HostView, 'filters'>;
  readonly dispose: () => Promise<void>;
}

const never = new AbortController().signal;

/** The least and the most, both sides of every unit of nft's, and one that is odd. */
const rates = [
  2 ** 10,
  2 ** 10 + 1,
  2 ** 20 - 2 ** 10,
  2 ** 20,
  2 ** 20 + 2 ** 10,
  125 * 2 ** 20,
  2 ** 30,
  2 ** 32 - 2 ** 10,
  2 ** 32,
  10 ** 10 + 1,
  2 ** 34,
];
const plain: FilterFields = {
  gateway: '10.20.0.1',
  mode: 'nat',
  uplink: null,
  portIsolation: false,
  egress: null,
  networkBytesPerSecond: null,
};
const all = { cidr: '0.0.0.0/0', protocol: null, ports: [] } as const;
const many = Array.from({ length: 64 }, (_, index) => ({
  cidr: `${index + 1}.0.0.0/8`,
  protocol: (['tcp', 'udp'] as const)[index % 2] ?? null,
  ports: Array.from({ length: 16 }, (_port, at) => 65_535 - 7 * at),
}));
const lists = [
  [],
  [all],
  [{ ...all, protocol: 'tcp', ports: [443] }],
  [{ ...all, protocol: 'icmp' }],
  [{ ...all, cidr: '10.0.0.0/8' }],
  [
    { ...all, cidr: '1.1.1.1/32', protocol: 'udp' },
    { ...all, cidr: '1.1.1.1/32', protocol: 'tcp', ports: [443, 80, 81, 82] },
    { ...all, cidr: '128.0.0.0/1', protocol: 'icmp' },
    { ...all, cidr: '10.20.0.0/24', protocol: 'udp', ports: [53] },
  ],
  many,
].map((rules) => egressText(rules as EgressRule[]));
const everyField: readonly FilterFields[] = NETWORK_MODES.flatMap((mode) =>
  [null, ...(mode === 'isolated' ? [] : ['eth0.4094'])].flatMap((uplink) =>
    [false, true].map((portIsolation) => ({ ...plain, mode, uplink, portIsolation })),
  ),
);

export function describeFilterContract(
  what: string,
  makeSubject: () => Promise<FilterSubject>,
): void {
  describe(`the filter contract of ${what}`, () => {
    let subject: FilterSubject;
    let count = 0;
    const us = () => ({ installation, partition: `filter-${count}` as PartitionName });
    const ref = () => filterRefOf(us());
    const filters = () => subject.host.filters;

    const portOf = (name: string, address: string): FilterPort => {
      const secondary = name as SecondaryName;
      const mac = macAddress({ ...us(), secondary });
      const [port] = portsOf(new Map([[secondary, { mac, address }]]), us()).values();
      if (port === undefined) throw new Error('no port');
      return port;
    };
    const two = () => [portOf('a', '10.20.0.5'), portOf('b', '10.20.0.6')];
    const apply = (rules: FilterRules) => filters().apply(ref(), rules, never);
    const look = async (view: FilterSubject['view'] = subject.host) => {
      const seen = await view.filters.find(ref(), never);
      if (seen.status === 'unknown') throw new Error(seen.why);
      if (seen.status === 'absent') return null;
      const ports = [...seen.value.ports].sort((a, b) => (a.address < b.address ? -1 : 1));
      return { ...seen.value, ports };
    };

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject.dispose());
    beforeEach(() => {
      count += 1;
    });
    afterEach(() => filters().remove(ref(), never));

    test('what is not there is absent', async () => {
      expect(await look()).toBeNull();
    });

    test.each(everyField)('%j is read back as it was put in force', async (fields) => {
      const ports = two();
      await apply({ fields, ports });
      expect(await look()).toEqual({ ...ref(), fields, ports });
      expect(await look(subject.view)).toEqual(await look());
    });

    test.each(rates)('a rate of %i is read back to the byte', async (networkBytesPerSecond) => {
      for (const mode of ['nat', 'routed'] as const) {
        for (const uplink of [null, 'eth0']) {
          const fields = { ...plain, mode, uplink, networkBytesPerSecond };
          await apply({ fields, ports: two() });
          expect(await look()).toMatchObject({ fields });
        }
      }
    });

    test.each(lists)('list number %# is read back as it was put in force', async (egress) => {
      for (const networkBytesPerSecond of [null, 2 ** 20]) {
        for (const mode of ['nat', 'routed'] as const) {
          for (const uplink of [null, 'eth0']) {
            const fields = { ...plain, mode, uplink, egress, networkBytesPerSecond };
            await apply({ fields, ports: two() });
            expect(await look()).toMatchObject({ fields });
          }
        }
      }
    });

    test('what is put in force takes the place of what was', async () => {
      const [first, second] = two();
      if (first === undefined || second === undefined) throw new Error('no ports');
      await apply({ fields: plain, ports: [first] });
      const fields = { ...plain, portIsolation: true };
      const moved = { ...second, address: '10.20.0.77' };
      await apply({ fields, ports: [moved] });
      expect(await look()).toMatchObject({ fields, ports: [moved] });
      await apply({ fields, ports: [] });
      expect(await look()).toMatchObject({ fields, ports: [] });
    });

    test('a port is closed by itself, and closed once', async () => {
      const [first, second] = two();
      if (first === undefined || second === undefined) throw new Error('no ports');
      await apply({ fields: plain, ports: [first, second] });
      await filters().close(ref(), first.tap, never);
      expect(await look()).toMatchObject({ fields: plain, ports: [second] });
      await filters().close(ref(), first.tap, never);
      expect(await look()).toMatchObject({ fields: plain, ports: [second] });
    });

    test('what is removed is absent, and removed once', async () => {
      await apply({ fields: plain, ports: two() });
      await filters().remove(ref(), never);
      await filters().remove(ref(), never);
      expect(await look()).toBeNull();
      await filters().close(ref(), two()[0]?.tap ?? '', never);
      expect(await look()).toBeNull();
    });

    test('of two partitions each has its own', async () => {
      await apply({ fields: plain, ports: two() });
      const other = filterRefOf({ installation, partition: 'filter-other' as PartitionName });
      await filters().apply(other, { fields: plain, ports: [] }, never);
      await filters().remove(ref(), never);
      expect(await filters().find(other, never)).toMatchObject({ status: 'present' });
      await filters().remove(other, never);
    });
  });
}
