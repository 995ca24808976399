/** The uplink that no document names: chosen once, by the Primary's NIC, and never moved by itself. */
import { describe, expect, test } from 'vitest';
import type { SimulatedPrimary } from '../../../src/host/simulated/world.ts';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import { filterTable, macAddress } from '../../../src/model/identity.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { NetworkFields } from '../../../src/model/network.ts';
import {
  converge,
  desiredWith,
  installation,
  partition,
  planPass,
  secondary,
} from '../../support/passes.ts';
import {
  domainOf,
  networkOf,
  networkRef,
  onCall,
  simulatedPrimary,
  testHost,
  worldOf,
} from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const web = secondary('web', { network: 'Partition' });
const nat: NetworkFields = networkFields({ cidr: '10.20.0.0/24' });
const primary = {
  domainName: 'team-a',
  reserved: { vcpus: 1, memoryBytes: 2 ** 28 },
  grants: [],
  imageDiskBytes: null,
} as const;
const wanting = (network: NetworkFields = nat) =>
  desiredWith({ secondaries: [web], network, primary });

type Nics = SimulatedPrimary['nics'];
const bridged: Nics = [{ kind: 'bridge', bridge: 'br0' }];
const onDefault: Nics = [{ kind: 'network', networkName: 'default' }];
const several: Nics = [...bridged, { kind: 'direct', device: 'eth9' }];

function hostWith(nics: Nics, rules: readonly FaultRule[] = []) {
  const primaries = { 'team-a': simulatedPrimary({ nics }) };
  return testHost(worldOf({ recorded: true, primaries }), { rules });
}

const uplinksOf = ({ world }: ReturnType<typeof testHost>) => [
  world.networks.get(networkRef.uuid)?.live?.fields?.uplink,
  world.filters.get(filterTable({ installation, partition }))?.fields?.uplink,
];

const blocksIn = async (host: ReturnType<typeof testHost>, wanted = wanting()) =>
  (await planPass(host, wanted)).entries.flatMap((entry) =>
    entry.kind === 'blocked'
      ? [`${entry.resource.kind} ${entry.block.code}: ${entry.block.message}`]
      : [],
  );

/** Nothing is to be done, and nothing is in the way. */
const rests = async (host: ReturnType<typeof testHost>) =>
  (await planPass(host, wanting())).entries.every(({ kind }) => kind === 'unchanged');

describe('a network that names no uplink', () => {
  test.each<[string, Nics, string]>([
    ['the bridge of the Primary', bridged, 'br0'],
    ['what its macvtap is on', [{ kind: 'direct', device: 'eth9' }], 'eth9'],
    ['what the host routes by, where it is the host that routes the Primary', onDefault, 'eth0'],
  ])('gets %s', async (_what, nics, device) => {
    const host = hostWith(nics);
    await converge(host, wanting());
    expect(uplinksOf(host)).toEqual([device, device]);
  });

  test('and keeps it when the host gets another default route', async () => {
    const host = hostWith(onDefault);
    await converge(host, wanting());
    host.world.defaultRoute = 'eth1';
    expect(await rests(host)).toBe(true);
    host.world.filters.clear();
    await converge(host, wanting());
    expect(uplinksOf(host)).toEqual(['eth0', 'eth0']);
  });

  test('and keeps it when its Primary gets a second NIC, or cannot be looked at', async () => {
    const host = hostWith(bridged);
    await converge(host, wanting());
    Object.assign(host.world.primaries.get('team-a') ?? {}, { nics: several });
    expect(await rests(host)).toBe(true);
    host.rules.push(onCall('uplinks.of', { kind: 'error', error: new Error('no') }));
    expect(await rests(host)).toBe(true);
    host.world.primaries.clear();
    expect(await blocksIn(host)).toEqual([expect.stringMatching(/^primary PrimaryMissing/)]);
  });

  test('but one that a document names it gets', async () => {
    const host = hostWith(bridged);
    await converge(host, wanting({ ...nat, uplink: 'eth7' }));
    expect(uplinksOf(host)).toEqual(['eth7', 'eth7']);
  });

  test('leaves by whatever the host routes by, where there is no Primary', async () => {
    const host = hostWith(bridged);
    await converge(host, { ...wanting(), primary: null });
    expect(uplinksOf(host)).toEqual([null, null]);
  });

  test('needs none where it does not leave', async () => {
    const host = hostWith([]);
    await converge(host, wanting({ ...nat, mode: 'isolated' }));
    expect(uplinksOf(host)).toEqual([null, null]);
    expect(await blocksIn(host)).toEqual([expect.stringMatching(/^network UplinkUndecided: /)]);
  });
});

describe('nothing is made, and nobody comes up,', () => {
  const remedy = 'name the interface to leave by as spec.network.uplink';
  test.each<[string, Nics, string]>([
    ['without a NIC', [], `UplinkUndecided: its Primary has no NIC: ${remedy}`],
    [
      'with several',
      several,
      `UplinkUndecided: the NICs of its Primary leave by br0, eth9: ${remedy}`,
    ],
    [
      'with one that does not say it',
      [{ kind: 'other', type: 'user' }],
      `UplinkUndecided: a NIC of its Primary is of type user: ${remedy}`,
    ],
  ])('%s', async (_what, nics, message) => {
    const host = hostWith(nics);
    expect(await blocksIn(host)).toEqual([
      `network ${message}`,
      `secondary PartBlocked: the network is blocked: ${message}`,
    ]);
    expect(await blocksIn(host, wanting({ ...nat, uplink: 'eth7' }))).toEqual([]);
  });

  test('where the Primary is not there', async () => {
    const host = hostWith([]);
    host.world.primaries.clear();
    expect(await blocksIn(host)).toContain(
      `network UplinkUndecided: the host has no domain "team-a", whose NIC would say it: ${remedy}`,
    );
  });

  test.each(['uplinks.of', 'primaries.find'] as const)('while %s fails', async (call) => {
    const host = hostWith(bridged, [onCall(call, { kind: 'error', error: new Error('cut') })]);
    const blocks = await blocksIn(host);
    expect(blocks).toContainEqual(expect.stringMatching(/^network HostUnknown: .*cut/));
    expect(blocks).toContainEqual(expect.stringMatching(/^secondary PartBlocked: /));
  });
});

describe('a network of before there was a choice', () => {
  const owner = { installation, partition, secondary: 'web' as SecondaryName };
  const reservations = { web: { mac: macAddress(owner), address: '10.20.0.7' } };
  const hostOfBefore = (nics: Nics) => {
    const running = domainOf('web', { power: { status: 'running' }, defined: fieldsOf(web) });
    const primaries = { 'team-a': simulatedPrimary({ nics }) };
    const network = networkOf({ reservations });
    return testHost(worldOf({ recorded: true, network, domains: [running], primaries }));
  };

  test('is held to it by its filter, and cuts nobody off', async () => {
    const host = hostOfBefore(bridged);
    const plan = await planPass(host, wanting());
    expect(plan.operations.map(({ kind }) => kind)).toEqual(['network.define', 'filter.apply']);
    await converge(host, wanting());
    expect(uplinksOf(host)).toEqual([null, 'br0']);
    expect(host.world.networks.get(networkRef.uuid)?.definition?.fields?.uplink).toBe('br0');
    // Whatever else is in the way of its network.
    const blocked = { ...nat, cidr: '10.30.0.0/24' };
    expect(await blocksIn(host, wanting(blocked))).toContainEqual(
      expect.stringMatching(/^network NetworkInUse/),
    );
    expect((await planPass(host, wanting(blocked))).operations).toEqual([]);
  });

  test.each<[string, Nics]>([
    ['nobody can tell one', several],
    ['there is none', []],
  ])('goes on as it is where %s', async (_what, nics) => {
    expect((await planPass(hostOfBefore(nics), wanting())).entries).toMatchObject(
      Array.from({ length: 4 }, () => ({ kind: 'unchanged' })),
    );
  });
});
