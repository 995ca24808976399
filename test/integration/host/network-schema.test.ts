/** All XML that unnest ever writes for a network is valid by libvirt's own RelaxNG schema. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { updatesFor } from '../../../src/host/libvirt/network-hosts.ts';
import { writeNetworkXml } from '../../../src/host/libvirt/write-network-xml.ts';
import { type Connection, connect, parseXml } from '../../../src/libvirt/index.ts';
import { bridgeName, networkName, networkUuid } from '../../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../../src/model/names.ts';
import type { NetworkFields } from '../../../src/model/network.ts';
import { installation } from '../../support/passes.ts';
import { networkFields } from '../../support/network-fields.ts';

let libvirt: Connection;
beforeAll(async () => {
  libvirt = await connect();
});
afterAll(() => libvirt.close());

const owner = { installation, partition: 'a-name-that-has-thirty-two-chars' as PartitionName };
const handle = { name: networkName(owner.partition), uuid: networkUuid(owner) };

const variants: readonly NetworkFields[] = [
  networkFields({ cidr: '10.231.1.0/24', mode: 'isolated' }),
  networkFields({ cidr: '10.231.1.0/24' }),
  networkFields({ cidr: '10.231.0.0/16', uplink: 'enp0s31f6.4094' }),
  networkFields({ cidr: '10.231.1.8/29', mode: 'routed', uplink: 'eth0' }),
  networkFields({ cidr: '10.231.1.0/30', mode: 'routed' }),
];

function xmlOf(fields: NetworkFields, current: string | null): string {
  const identity = { uuid: handle.uuid, networkName: handle.name, owner };
  return writeNetworkXml({ ...identity, bridge: bridgeName(owner), fields }, current);
}

/** An operator's part, and two reservations of ours. */
async function fill(): Promise<void> {
  const records = `<host ip='192.0.2.7'><hostname>registry.corp</hostname></host>`;
  await libvirt.networks.update(
    handle,
    { command: 'addLast', section: 'dnsHost', xml: records },
    { config: true },
  );
  for (const [name, last] of [
    ['web', 2],
    ['a-name-that-has-thirty-two-chars', 12],
  ] as const) {
    const network = parseXml(await libvirt.networks.xml(handle, { inactive: true }));
    const reservation = { mac: `52:00:00:00:00:${last + 10}`, address: `10.231.1.${last}` };
    for (const update of updatesFor(network, name as SecondaryName, reservation)) {
      await libvirt.networks.update(handle, update, { config: true });
    }
  }
}

describe('every variant', () => {
  test.each(variants)('%j, new and laid over every other', async (fields) => {
    await libvirt.networks.define(xmlOf(fields, null), { validate: true });
    await fill();
    for (const other of variants) {
      const current = await libvirt.networks.xml(handle, { inactive: true });
      await libvirt.networks.define(xmlOf(other, current), { validate: true });
      const xml = await libvirt.networks.xml(handle, { inactive: true });
      expect(xml).toContain('registry.corp');
    }
    await libvirt.networks.undefine(handle);
  });
});

/** No document can have it, but libvirt must not get more of it than a string either. */
test.each([`'><ip address='10.0.0.1'/><x y='`, '"&<>\t\n', 'eth0;reboot'])(
  'an uplink %j stays one string',
  async (uplink) => {
    const xml = xmlOf(
      {
        cidr: '10.231.1.0/24',
        mode: 'nat',
        uplink,
        portIsolation: false,
        egress: null,
        networkBytesPerSecond: null,
      },
      null,
    );
    const forward = parseXml(xml).children.find(
      (child) => typeof child !== 'string' && child.name === 'forward',
    );
    expect(forward).toMatchObject({
      attributes: new Map([
        ['mode', 'nat'],
        ['dev', uplink],
      ]),
    });
    // By the schema it is no name of an interface.
    await expect(libvirt.networks.define(xml, { validate: true })).rejects.toMatchObject({
      code: 'XML_INVALID_SCHEMA',
    });
  },
);

test('the schema is really looked at', async () => {
  const spoilt = xmlOf(variants[0] as NetworkFields, null).replace('<bridge ', '<bridgee ');
  await expect(libvirt.networks.define(spoilt, { validate: true })).rejects.toMatchObject({
    name: 'LibvirtError',
  });
});
