import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readReservations, updatesFor } from '../../../../src/host/libvirt/network-hosts.ts';
import { networkFingerprint, readNetwork } from '../../../../src/host/libvirt/read-network-xml.ts';
import { writeNetworkXml } from '../../../../src/host/libvirt/write-network-xml.ts';
import { parseXml } from '../../../../src/libvirt/xml.ts';
import { bridgeName, networkName, networkUuid } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { addressAt, type NetworkFields } from '../../../../src/model/network.ts';
import { installation, partition } from '../../../support/passes.ts';

const owner = { installation, partition };
const bridge = bridgeName(owner);
const isolated: NetworkFields = {
  cidr: '10.20.0.0/24',
  mode: 'isolated',
  uplink: null,
  portIsolation: false,
  egress: null,
  networkBytesPerSecond: null,
};

function write(fields: NetworkFields, current: string | null = null): string {
  const identity = { uuid: networkUuid(owner), networkName: networkName(partition), owner };
  return writeNetworkXml({ ...identity, bridge, fields }, current);
}
const read = (xml: string) => readNetwork(parseXml(xml));
const web = 'web' as SecondaryName;

const anyFields: fc.Arbitrary<NetworkFields> = fc
  .record({
    prefix: fc.integer({ min: 8, max: 30 }),
    at: fc.nat(2 ** 32 - 1),
    mode: fc.constantFrom('isolated', 'nat', 'routed'),
    uplink: fc.option(fc.stringMatching(/^[a-z][a-z0-9.]{0,14}$/)),
    portIsolation: fc.boolean(),
    egress: fc.option(fc.constantFrom('', '0.0.0.0/0 tcp 80 443', '1.1.1.1/32, 10.0.0.0/8 icmp')),
    networkBytesPerSecond: fc.option(fc.integer({ min: 2 ** 10, max: 2 ** 34 })),
  })
  .map(({ prefix, at, mode, uplink, ...live }) => ({
    cidr: `${addressAt('0.0.0.0/0', at - (at % 2 ** (32 - prefix)))}/${prefix}`,
    mode,
    uplink: mode === 'isolated' ? null : uplink,
    ...live,
  }));

describe('a definition', () => {
  test('is read back as it was written, new and laid over another', () => {
    fc.assert(
      fc.property(anyFields, anyFields, (before, after) => {
        const first = write(before);
        expect(read(first)).toEqual({ owner, fields: before, lastApplied: before });
        const second = write(after, first);
        expect(read(second)).toEqual({ owner, fields: after, lastApplied: after });
        expect(write(after, second)).toBe(second);
      }),
    );
  });

  test('holds nothing that nobody has asked for', () => {
    const xml = write({
      cidr: '10.20.0.0/24',
      mode: 'nat',
      uplink: 'eth0',
      portIsolation: false,
      egress: null,
      networkBytesPerSecond: null,
    });
    expect(xml.replace(/<metadata>.*<\/metadata>/, '')).toBe(
      `<network><name>unnest.team-a</name><uuid>${networkUuid(owner)}</uuid>` +
        `<forward mode="nat" dev="eth0"/><bridge stp="off" delay="0" name="${bridge}"/>` +
        '<ip address="10.20.0.1" netmask="255.255.255.0"/></network>',
    );
  });
});

/** As libvirt writes it, with much of an operator's. */
const current = `<network>
  <name>unnest.team-a</name><uuid>${networkUuid(owner)}</uuid><title>kept</title>
  <metadata><other:thing xmlns:other="urn:other" a="1"/></metadata>
  <forward dev='eth0' mode='nat'>
    <nat><port start='2000' end='3000'/></nat>
    <interface dev='eth0'/>
  </forward>
  <bridge name='virbr7' stp='on' delay='3' macTableManager='libvirt'/>
  <mac address='52:54:00:01:02:03'/>
  <bandwidth><inbound average='1000'/></bandwidth>
  <ip family='ipv6' address='fd00::1' prefix='64'/>
  <dns>
    <host ip='192.0.2.7'><hostname>registry.corp</hostname></host>
    <host ip='10.20.0.5'><hostname>web</hostname><hostname>alias.corp</hostname></host>
    <host ip='10.99.0.5'><hostname>old</hostname></host>
  </dns>
  <ip address='10.20.0.1' prefix='24'>
    <tftp root='/srv'/>
    <dhcp>
      <range start='10.20.0.100' end='10.20.0.200'/>
      <host mac='52:00:00:00:00:05' name='web' ip='10.20.0.5'/>
      <host mac='52:00:00:00:00:06' ip='10.20.0.6'/>
    </dhcp>
  </ip>
</network>`;

describe('laid over what is there', () => {
  test('all that is not managed stays, and all that is is set', () => {
    const fields: NetworkFields = {
      cidr: '10.20.0.0/24',
      mode: 'nat',
      uplink: 'eth1',
      portIsolation: false,
      egress: null,
      networkBytesPerSecond: null,
    };
    const xml = write(fields, current);
    for (const kept of [
      '<title>kept</title>',
      '<other:thing xmlns:other="urn:other" a="1"/>',
      '<nat><port start="2000" end="3000"/></nat>',
      'stp="on" delay="3" macTableManager="libvirt"',
      '52:54:00:01:02:03',
      '<inbound average="1000"/>',
      'fd00::1',
      'registry.corp',
      'alias.corp',
      'old',
      '<tftp root="/srv"/>',
      '<range ',
      '<host mac="52:00:00:00:00:06" ip="10.20.0.6"/>',
    ]) {
      expect(xml).toContain(kept);
    }
    expect(read(xml)).toMatchObject({ owner, fields });
    expect(xml).not.toContain('virbr7');
    expect(xml).not.toContain('eth0');
    // libvirt takes only one of a mask and a prefix.
    expect(xml).not.toContain('prefix="24"');
  });

  test('another way out takes all of the old one along', () => {
    for (const mode of ['routed', 'isolated'] as const) {
      const xml = write(
        {
          cidr: '10.20.0.0/24',
          mode,
          uplink: null,
          portIsolation: false,
          egress: null,
          networkBytesPerSecond: null,
        },
        current,
      );
      expect(xml).not.toMatch(/eth0|<nat|2000/);
      expect(read(xml)).toMatchObject({ fields: { mode, uplink: null } });
    }
  });

  test('another subnet takes the addresses of the old one along, and no name of an operator', () => {
    const xml = write(
      {
        cidr: '10.30.0.0/24',
        mode: 'isolated',
        uplink: null,
        portIsolation: false,
        egress: null,
        networkBytesPerSecond: null,
      },
      current,
    );
    expect(xml).not.toMatch(/10\.20\.|10\.99\.|<range/);
    expect(xml).toContain('registry.corp');
    expect(xml).toContain('<tftp root="/srv"/>');
  });

  test('of several subnets one is left, and it is not the IPv6 one', () => {
    const two = current.replace('</network>', `<ip address='10.50.0.1' prefix='24'/></network>`);
    const xml = write(isolated, two);
    expect(xml).not.toContain('10.50.0.1');
    expect(xml).toContain('fd00::1');
    expect(read(xml)).toMatchObject({ fields: isolated });
  });
});

describe('a definition that somebody edited is none that a document can ask for', () => {
  const made = write({
    cidr: '10.20.0.0/24',
    mode: 'nat',
    uplink: 'eth0',
    portIsolation: false,
    egress: null,
    networkBytesPerSecond: null,
  });
  test.each([
    ['another bridge', made.replace(bridge, 'virbr0')],
    ['another address of its own', made.replace('10.20.0.1', '10.20.0.9')],
    ['a mask with holes', made.replace('255.255.255.0', '255.255.255.8')],
    ['no subnet', made.replace(/<ip .*\/>/, '')],
    ['two subnets', made.replace(/(<ip .*\/>)/, '$1<ip address="10.50.0.1" prefix="24"/>')],
    ['an open way out', made.replace('mode="nat"', 'mode="open"')],
    [
      'two ways out',
      made.replace('dev="eth0"/>', '><interface dev="eth0"/><interface dev="eth1"/></forward>'),
    ],
  ])('%s', (_what, edited) => {
    expect(edited).not.toBe(made);
    expect(read(edited)).toMatchObject({ owner, fields: null, lastApplied: { mode: 'nat' } });
  });

  test.each([
    ['another namespace', made.replace('ns/v1', 'ns/v0')],
    ['no installation', made.replace(installation, 'nonsense')],
    ['a partition that cannot be', made.replace('partition="team-a"', 'partition="../etc"')],
  ])('and without a mark it is foreign: %s', (_what, edited) => {
    expect(edited).not.toBe(made);
    expect(read(edited)).toEqual({ owner: null, fields: null, lastApplied: null });
  });

  test.each(['', '{}', '[]', '{"cidr":1}', '{"cidr":"10.0.0.0/8","mode":"open","uplink":null}'])(
    'what was last applied is unknown if the mark says %j',
    (applied) => {
      const edited = made.replace(
        / applied="[^"]*"/,
        ` applied="${applied.replaceAll('"', '&quot;')}"`,
      );
      expect(read(edited)).toMatchObject({ owner, lastApplied: null });
    },
  );
});

const lease = (name: string, index: number, mac = index) =>
  `<host mac='52:00:00:00:00:0${mac}' name='${name}' ip='10.20.0.${index}'/>`;
const record = (index: number, ...names: readonly string[]) =>
  `<host ip='10.20.0.${index}'>${names.map((name) => `<hostname>${name}</hostname>`).join('')}</host>`;
const network = (leases: readonly string[], records: readonly string[]) =>
  parseXml(
    `<network><ip family='ipv6' address='fd00::1' prefix='64'/><dns>${records.join('')}</dns>` +
      `<ip address='10.20.0.1' prefix='24'><dhcp>${leases.join('')}</dhcp></ip></network>`,
  );
const reservation = { mac: '52:00:00:00:00:02', address: '10.20.0.2' };

describe('reservations', () => {
  const whole = network([lease('web', 2)], [record(2, 'web')]);

  test('are what DHCP and DNS, definition and running network agree on', () => {
    const seen = { reservations: new Map([['web', reservation]]), stray: [] };
    expect(readReservations([whole])).toEqual(seen);
    expect(readReservations([whole, whole])).toEqual(seen);
    expect(readReservations([network([lease('web', 2)], [record(2, 'web', 'alias')])])).toEqual({
      ...seen,
      stray: ['alias'],
    });
  });

  test.each([
    ['only in DHCP', [network([lease('web', 2)], [])]],
    ['only in DNS', [network([], [record(2, 'web')])]],
    ['of two addresses', [network([lease('web', 2)], [record(3, 'web')])]],
    ['twice in DHCP', [network([lease('web', 2), lease('web', 3)], [record(2, 'web')])]],
    ['twice in DNS', [network([lease('web', 2)], [record(2, 'web'), record(3, 'web')])]],
    ['without a MAC', [network([`<host name='web' ip='10.20.0.2'/>`], [record(2, 'web')])]],
    ['only in the definition', [whole, network([], [])]],
    ['only in the running network', [network([], []), whole]],
    [
      'of another MAC in the running network',
      [whole, network([lease('web', 2, 9)], [record(2, 'web')])],
    ],
    ['of another address there', [whole, network([lease('web', 3, 2)], [record(3, 'web')])]],
  ])('are stray: %s', (_what, sides) => {
    expect(readReservations(sides)).toEqual({ reservations: new Map(), stray: ['web'] });
  });

  test("of names that no Secondary can have are an operator's", () => {
    const theirs = network([lease('printer.corp', 2)], [record(2, 'PRINTER', 'x_y')]);
    expect(readReservations([theirs])).toEqual({ reservations: new Map(), stray: [] });
  });
});

describe('to reserve', () => {
  const told = (of: ReturnType<typeof network>, wanted: typeof reservation | null) =>
    updatesFor(of, web, wanted).map(
      ({ command, section, parentIndex = '-', xml }) =>
        `${command} ${section} ${parentIndex} ${xml.replaceAll('"', "'")}`,
    );
  const added = [`addLast dhcpHost 1 ${lease('web', 2)}`, `addLast dnsHost - ${record(2, 'web')}`];

  test('nothing is told where all is so, and both where nothing is', () => {
    const there = network([lease('db', 3), lease('web', 2)], [record(3, 'db'), record(2, 'web')]);
    expect(told(there, reservation)).toEqual([]);
    expect(told(network([lease('db', 3)], [record(3, 'db')]), reservation)).toEqual(added);
    expect(told(network([lease('db', 3)], [record(3, 'db')]), null)).toEqual([]);
  });

  test('what is different goes first, by exactly what it is', () => {
    const other = network([lease('web', 4), lease('db', 3)], [record(4, 'web'), record(3, 'db')]);
    const gone = [
      `delete dhcpHost 1 ${lease('web', 4)}`,
      `delete dnsHost - <host ip='10.20.0.4'/>`,
    ];
    expect(told(other, reservation)).toEqual([gone[0], added[0], gone[1], added[1]]);
    // What a crash leaves half there is known by the MAC in its lease.
    expect(told(other, null)).toEqual(gone.toReversed());
  });

  test('only the missing half is added, and doubles go', () => {
    expect(told(network([lease('web', 2)], []), reservation)).toEqual([added[1]]);
    expect(told(network([], [record(2, 'web')]), reservation)).toEqual([added[0]]);
    expect(
      told(network([lease('web', 2), lease('web', 4)], [record(2, 'web')]), reservation),
    ).toEqual([
      `delete dhcpHost 1 ${lease('web', 2)}`,
      `delete dhcpHost 1 ${lease('web', 4)}`,
      added[0],
    ]);
  });

  test('other names at its address are put back', () => {
    const shared = network([lease('web', 2)], [record(2, 'web', 'alias.corp')]);
    expect(told(shared, reservation)).toEqual([]);
    expect(told(shared, null)).toEqual([
      `delete dnsHost - <host ip='10.20.0.2'/>`,
      `addLast dnsHost - ${record(2, 'alias.corp')}`,
      `delete dhcpHost 1 ${lease('web', 2)}`,
    ]);
  });

  test.each([
    ['its address, in DHCP', network([lease('db', 2, 9)], []), '10.20.0.2'],
    ['its MAC', network([lease('db', 9, 2)], []), '52:00:00:00:00:02'],
    ['its address, in DNS', network([], [record(2, 'alias.corp')]), '10.20.0.2'],
  ])('is refused where somebody else has %s', (_what, of, taken) => {
    expect(() => updatesFor(of, web, reservation)).toThrow(`has ${taken} already`);
  });
});

test('a fingerprint is of all but the hosts', () => {
  const print = (text: string) => networkFingerprint(parseXml(text));
  const made = write(isolated);
  const filled = made.replace(
    /<ip (.*)\/>/,
    `<dns>${record(2, 'web')}</dns><ip $1><dhcp>${lease('web', 2)}</dhcp></ip>`,
  );
  expect(filled).not.toBe(made);
  expect(print(filled)).toBe(print(made));
  expect(print(made.replaceAll('><', '>\n  <'))).toBe(print(made));
  for (const edited of [
    filled.replace('<dhcp>', `<dhcp><range start='10.20.0.9' end='10.20.0.10'/>`),
    filled.replace('<dns>', `<dns enable='no'>`),
    made.replace('stp="off"', 'stp="on"'),
  ]) {
    expect(print(edited)).not.toBe(print(made));
  }
});
