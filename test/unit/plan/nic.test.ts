/** The Primary on its partition's network: plugged in, put right, taken out, and nobody else's NIC. */
import { describe, expect, test } from 'vitest';
import type { SimulatedPrimary } from '../../../src/host/simulated/world.ts';
import { filterTable } from '../../../src/model/identity.ts';
import { PRIMARY_STATION } from '../../../src/model/names.ts';
import type { NetworkFields } from '../../../src/model/network.ts';
import { plugOf } from '../../../src/model/plug.ts';
import type { PrimaryWanted } from '../../../src/model/primary.ts';
import {
  applyPass,
  blockedKindsIn,
  converge,
  desiredWith,
  installation,
  partition,
  planPass,
  secondary,
} from '../../support/passes.ts';
import {
  networkRef,
  onCall,
  simulatedPrimary,
  testHost,
  type TestHost,
  worldOf,
} from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const us = { installation, partition };
const plug = plugOf(us);
const nat: NetworkFields = networkFields({ cidr: '10.20.0.0/24' });
const granting = (...grants: PrimaryWanted['grants']): PrimaryWanted => ({
  domainName: 'team-a',
  reserved: { vcpus: 1, memoryBytes: 2 ** 28 },
  grants,
  imageDiskBytes: null,
});
const plugged = desiredWith({ network: nat, primary: granting('network') });
const ungranted = desiredWith({ network: nat, primary: granting() });
const without = desiredWith({ network: null, primary: granting('network') });

/** Of another unnest, as an operator's: neither is ours. */
const theirs = { ...plug, alias: 'ua-un-ffffffffffff', mac: '52:00:00:00:00:01', tap: 'untff' };

function hostWith(more: Partial<SimulatedPrimary> = {}): TestHost {
  const primaries = {
    'team-a': simulatedPrimary({ plugs: [theirs], livePlugs: [theirs], ...more }),
  };
  return testHost(worldOf({ recorded: true, primaries }));
}

const primaryOf = ({ world }: TestHost) => {
  const primary = world.primaries.get('team-a');
  if (primary === undefined) throw new Error('it is gone');
  return primary;
};
const addressOf = ({ world }: TestHost) =>
  world.networks.get(networkRef.uuid)?.live?.reservations.get(PRIMARY_STATION)?.address;
const portsOf = ({ world }: TestHost) => world.filters.get(filterTable(us))?.ports;
const operationsOf = async (host: TestHost, wanted = plugged) =>
  (await planPass(host, wanted, true)).operations.map(({ id }) => id);
const blocksOf = async (host: TestHost, wanted = plugged) =>
  blockedKindsIn(await planPass(host, wanted, true));

describe('a Primary that is granted the network', () => {
  test('gets a NIC with an address and a port, once network and filter are there', async () => {
    const host = hostWith();
    expect(await operationsOf(host)).toEqual([
      'network.define/team-a',
      'network.reserve/the_primary',
      'filter.apply/team-a',
      'network.start/team-a',
      'primary.plug/team-a',
    ]);
    await converge(host, plugged);
    expect(primaryOf(host)).toMatchObject({ plugs: [theirs, plug], livePlugs: [theirs, plug] });
    const { tap, mac } = plug;
    expect(portsOf(host)).toEqual([{ tap, mac, address: addressOf(host) }]);
  });

  test('that does not run gets it in its definition', async () => {
    const host = hostWith({ live: null, livePlugs: null });
    await converge(host, plugged);
    expect(primaryOf(host)).toMatchObject({ plugs: [theirs, plug], livePlugs: null });
  });

  test('waits for what is in the way of the network', async () => {
    const host = hostWith({ nics: [] });
    expect(await blocksOf(host)).toEqual(['network UplinkUndecided', 'nic PartBlocked']);
    const dark = hostWith();
    dark.rules.push(onCall('filters.find', { kind: 'error', error: new Error('no') }));
    expect(await blocksOf(dark)).toEqual(['filter HostUnknown', 'nic PartBlocked']);
  });

  test('is not plugged in where the network did not come up', async () => {
    const host = hostWith();
    host.rules.push(onCall('networks.start', { kind: 'error', error: new Error('no') }));
    await applyPass(host, plugged);
    expect(primaryOf(host).plugs).toEqual([theirs]);
  });

  test.each<[string, Partial<SimulatedPrimary>]>([
    ['gone from what runs', { livePlugs: [theirs] }],
    ['gone from its definition', { plugs: [theirs] }],
    ['plugged in elsewhere', { livePlugs: [theirs, { ...plug, networkName: 'default' }] }],
    ['of another MAC', { plugs: [theirs, { ...plug, mac: '52:54:00:00:00:01' }] }],
    ['in no bridge any more', { livePlugs: [theirs, { ...plug, tap: null }] }],
  ])('gets one back that is %s', async (_what, change) => {
    const host = hostWith();
    await converge(host, plugged);
    Object.assign(primaryOf(host), change);
    await converge(host, plugged);
    const { plugs, livePlugs } = primaryOf(host);
    for (const side of [plugs, livePlugs]) {
      expect(new Set(side?.map((each) => JSON.stringify(each)))).toEqual(
        new Set([theirs, plug].map((each) => JSON.stringify(each))),
      );
    }
  });

  test('is cut off by nothing that could wait', async () => {
    const host = hostWith();
    await converge(host, plugged);
    const moved = desiredWith({
      network: { ...nat, cidr: '10.30.0.0/24' },
      primary: granting('network'),
    });
    expect(await blocksOf(host, moved)).toEqual(['network NetworkInUse']);
    expect(await operationsOf(host, moved)).toEqual([]);
  });
});

describe('the NIC goes', () => {
  test('with the grant, and its address and port behind it', async () => {
    const host = hostWith();
    await converge(host, plugged);
    expect(await operationsOf(host, ungranted)).toEqual([
      'primary.unplug/team-a',
      'network.unreserve/the_primary',
      'filter.close/the_primary',
    ]);
    await converge(host, ungranted);
    expect(primaryOf(host)).toMatchObject({ plugs: [theirs], livePlugs: [theirs] });
    expect([addressOf(host), portsOf(host)]).toEqual([undefined, []]);
  });

  test('before the network does', async () => {
    const host = hostWith();
    await converge(host, plugged);
    expect(await operationsOf(host, without)).toEqual([
      'primary.unplug/team-a',
      'network.stop/team-a',
      'network.undefine/team-a',
      'filter.remove/team-a',
    ]);
    await converge(host, without);
    expect(primaryOf(host)).toMatchObject({ plugs: [theirs], livePlugs: [theirs] });
    expect(host.world.networks.size).toBe(0);
  });

  test('when its guest lets go, and until then nothing that it uses does', async () => {
    const host = hostWith({ releasesAfterMs: null });
    await converge(host, plugged);
    for (const wanted of [ungranted, without]) {
      const { outcomes } = await applyPass(host, wanted);
      expect(outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`)).toContain(
        'primary.unplug/team-a failed',
      );
      expect(JSON.stringify(outcomes)).toContain('team-a has not let go of its NIC');
      expect(primaryOf(host).livePlugs).toEqual([theirs, plug]);
      expect(addressOf(host)).toBeDefined();
      expect(portsOf(host)).toHaveLength(1);
    }
    const held = new Map([['nic/team-a', { code: 'BackOff', message: 'later' } as const]]);
    const plan = await planPass(host, without, true, null, {}, held);
    expect(plan.operations).toEqual([]);
    Object.assign(primaryOf(host), { releasesAfterMs: 500, unplugging: null });
    await converge(host, without);
    expect(host.world.networks.size).toBe(0);
  });

  test('not while nobody can tell: neither it, nor its address, nor the network', async () => {
    const host = hostWith();
    await converge(host, plugged);
    const unnamed = desiredWith({ network: nat, primary: null });
    expect(await operationsOf(host, unnamed)).toEqual([]);
    const gone = desiredWith({ network: null, primary: null });
    expect(await blocksOf(host, gone)).toEqual(['network NetworkInUse']);
    expect(await operationsOf(host, gone)).toEqual([]);
    host.rules.push(onCall('primaries.find', { kind: 'error', error: new Error('no') }));
    for (const wanted of [ungranted, without]) {
      expect(await operationsOf(host, wanted)).toEqual([]);
    }
    expect(await blocksOf(host, without)).toContain('network NetworkInUse');
  });

  test('with the domain that it was of', async () => {
    const host = hostWith();
    await converge(host, plugged);
    host.world.primaries.clear();
    expect(await operationsOf(host, without)).toEqual([
      'network.stop/team-a',
      'network.undefine/team-a',
      'filter.remove/team-a',
    ]);
  });
});

test('its failure keeps nobody else waiting', async () => {
  const web = secondary('web', { network: 'Partition' });
  const host = hostWith();
  host.rules.push(onCall('primaries.plug', { kind: 'error', error: new Error('no free slot') }));
  await applyPass(host, { ...plugged, secondaries: new Map([[web.name, web]]) });
  const [domain] = [...host.world.domains.values()];
  expect(domain?.guest?.state).toBe('running');
});
