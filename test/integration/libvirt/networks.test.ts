/** Virtual networks and network filters of a real libvirtd. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type Connection,
  connect,
  connectReadOnly,
  type LibvirtEvent,
} from '../../../src/libvirt/index.ts';
import { failure, until, uuidOf } from './rig.ts';

let connection: Connection;
beforeAll(async () => {
  connection = await connect();
});
afterAll(() => connection.close());

const xml = `<network><name>lv-net</name><uuid>${uuidOf('lv-net')}</uuid>
  <bridge name='lvbr'/><mac address='52:54:00:aa:bb:01'/>
  <ip address='10.77.0.1' netmask='255.255.255.0'/></network>`;

describe('a network', () => {
  test('is defined, started, changed while it runs, stopped and undefined', async () => {
    const { networks } = connection;
    const events: LibvirtEvent[] = [];
    const unsubscribe = await connection.subscribe(['network-lifecycle'], (event) =>
      events.push(event),
    );
    const network = await networks.define(xml, { validate: true });
    expect(network).toEqual({ name: 'lv-net', uuid: uuidOf('lv-net') });
    expect(await networks.list({ inactive: true })).toContainEqual(network);
    await networks.create(network);
    onTestFinished(async () => void (await failure(networks.destroy(network))));
    expect([await networks.isActive(network), await networks.isPersistent(network)]).toEqual([
      true,
      true,
    ]);
    expect(await networks.bridgeName(network)).toBe('lvbr');
    expect(await networks.lookupByName('lv-net')).toEqual(network);
    expect(await networks.lookupByUuid(network.uuid)).toEqual(network);

    const host = `<host ip='10.77.0.5'><hostname>db</hostname></host>`;
    await networks.update(
      network,
      { command: 'addLast', section: 'dnsHost', xml: host },
      { config: true },
    );
    expect(await networks.xml(network, { inactive: true })).toContain('<hostname>db</hostname>');
    expect(await networks.xml(network)).not.toContain('<hostname>db</hostname>');
    await networks.setAutostart(network, true);
    expect(await networks.autostart(network)).toBe(true);
    expect(await networks.leases(network)).toEqual([]);

    await networks.destroy(network);
    await networks.undefine(network);
    await until(() => events.length === 4);
    expect(events.map((event) => event.kind === 'network-lifecycle' && event.event)).toEqual([
      'defined',
      'started',
      'stopped',
      'undefined',
    ]);
    await unsubscribe();
    expect(await failure(networks.lookupByName('lv-net'))).toMatchObject({ code: 'NO_NETWORK' });
  });

  test('can be one that is gone when it stops', async () => {
    const { networks } = connection;
    const network = await networks.createXml(xml);
    expect(await networks.isPersistent(network)).toBe(false);
    await networks.destroy(network);
    expect(await networks.list()).not.toContainEqual(network);
  });
});

test('a network filter is defined, read and undefined', async () => {
  const { nwfilters } = connection;
  const filter = await nwfilters.define(
    `<filter name='lv-filter' chain='root'><uuid>${uuidOf('lv-filter')}</uuid></filter>`,
    { validate: true },
  );
  expect(await nwfilters.list()).toContainEqual({ name: 'lv-filter', uuid: uuidOf('lv-filter') });
  expect(await nwfilters.lookupByName('lv-filter')).toEqual(filter);
  expect(await nwfilters.lookupByUuid(filter.uuid)).toEqual(filter);
  expect(await nwfilters.xml(filter)).toContain("name='lv-filter'");
  expect(await nwfilters.listBindings()).toEqual([]);
  await nwfilters.undefine(filter);
  expect(await failure(nwfilters.lookupByName('lv-filter'))).toMatchObject({ code: 'NO_NWFILTER' });
});

describe('the host', () => {
  test('tells what it is, read-only too', async () => {
    const readOnly = await connectReadOnly();
    onTestFinished(() => readOnly.close());
    for (const { node } of [connection, readOnly]) {
      expect((await node.libvirtVersion()).major).toBeGreaterThanOrEqual(9);
      expect((await node.hypervisorVersion()).major).toBeGreaterThanOrEqual(7);
      expect(await node.uri()).toBe('qemu:///system');
      expect(await node.hostname()).not.toBe('');
      expect(await node.info()).toMatchObject({ cpuModel: 'x86_64', numaNodes: 1 });
      expect(await node.freeMemoryBytes()).toBeGreaterThan(0);
      expect(await node.capabilities()).toMatch(/^<capabilities>/);
    }
    expect(await connection.node.domainCapabilities({ machine: 'q35' })).toContain(
      '<domainCapabilities>',
    );
  });
});
