/** What a Primary is told of its NIC follows from what was seen of the host, at every step of its life. */
import { describe, expect, test } from 'vitest';
import { PRIMARY_STATION } from '../../../src/model/names.ts';
import { plugOf } from '../../../src/model/plug.ts';
import type { Observed } from '../../../src/model/domain.ts';
import type { ObservedNetwork } from '../../../src/model/network.ts';
import { present, unknown } from '../../../src/model/observation.ts';
import { observe } from '../../../src/observe/observe.ts';
import { primaryNicOf } from '../../../src/report/primary-nic.ts';
import { networkFields } from '../../support/network-fields.ts';
import { converge, desiredWith, installation, partition } from '../../support/passes.ts';
import {
  networkRef,
  simulatedPrimary,
  testHost,
  type TestHost,
  worldOf,
} from '../../support/simulation.ts';

const plug = plugOf({ installation, partition });
const primary = {
  domainName: 'team-a',
  reserved: { vcpus: 1, memoryBytes: 2 ** 28 },
  grants: ['network'],
  imageDiskBytes: null,
} as const;
const network = networkFields({ cidr: '10.20.0.0/26' });
const none = { status: 'None', mac: null, address: null, prefixLength: null };
const notKnown = { ...none, status: 'Unknown' };

async function look(host: TestHost): Promise<Observed> {
  const nothing = {
    wanted: new Set<never>(),
    volumes: new Set<never>(),
    images: new Set<never>(),
    seeds: new Set<never>(),
  };
  return observe(host, {
    ...nothing,
    partition,
    files: new Set(),
    catalogue: new Set(),
    withCid: new Set(),
    primary: 'team-a',
    newInstallation: installation,
    signal: new AbortController().signal,
  });
}

const newHost = () =>
  testHost(worldOf({ recorded: true, primaries: { 'team-a': simulatedPrimary() } }));

async function pluggedHost(): Promise<TestHost> {
  const host = newHost();
  await converge(host, desiredWith({ network, primary }));
  return host;
}
const primaryIn = ({ world }: TestHost) => {
  const seen = world.primaries.get('team-a');
  if (seen === undefined) throw new Error('it is gone');
  return seen;
};

describe('the NIC of a Primary', () => {
  test('is told with its address, once the running Primary has it', async () => {
    expect(primaryNicOf(await look(newHost()))).toEqual(none);
    const host = await pluggedHost();
    const reserved = host.world.networks.get(networkRef.uuid)?.live?.reservations;
    const address = reserved?.get(PRIMARY_STATION)?.address;
    const told = { status: 'Plugged', mac: plug.mac, address, prefixLength: 26 };
    expect(primaryNicOf(await look(host))).toEqual(told);
    expect(address).toMatch(/^10\.20\.0\.\d+$/);
  });

  test('is none when it is gone, or the Primary does not run', async () => {
    const host = await pluggedHost();
    primaryIn(host).livePlugs = null;
    expect(primaryNicOf(await look(host))).toEqual(none);
    primaryIn(host).livePlugs = [plug];
    expect(primaryNicOf(await look(host))).toMatchObject({ status: 'Plugged' });
    await converge(
      host,
      desiredWith({ network, primary: { ...primary, grants: [], imageDiskBytes: null } }),
    );
    expect(primaryNicOf(await look(host))).toEqual(none);
  });

  test('is none that somebody has plugged in elsewhere', async () => {
    const host = await pluggedHost();
    primaryIn(host).livePlugs = [{ ...plug, networkName: 'default' }];
    expect(primaryNicOf(await look(host))).toEqual(none);
  });

  test('is not known where it, or its network, was not seen or is not right', async () => {
    const observed = await look(await pluggedHost());
    expect(primaryNicOf(null)).toEqual(notKnown);
    expect(primaryNicOf({ ...observed, primary: unknown('cut') })).toEqual(notKnown);
    expect(primaryNicOf({ ...observed, network: unknown('cut') })).toEqual(notKnown);
    expect(primaryNicOf({ ...observed, network: { status: 'absent' } })).toEqual(notKnown);
    const { network: there } = observed;
    if (there.status !== 'present') throw new Error('it is not there');
    const changed = (more: Partial<ObservedNetwork>) =>
      primaryNicOf({ ...observed, network: present({ ...there.value, ...more }) });
    expect(changed({})).toMatchObject({ status: 'Plugged' });
    expect(changed({ reservations: new Map() })).toEqual(notKnown);
    const others = new Map([[PRIMARY_STATION, { mac: '52:00:00:00:00:01', address: '10.20.0.9' }]]);
    expect(changed({ reservations: others })).toEqual(notKnown);
    expect(changed({ live: networkFields({ cidr: '10.99.0.0/26' }) })).toEqual(notKnown);
    expect(changed({ live: null, lastApplied: null, defined: null })).toEqual(notKnown);
  });
});
