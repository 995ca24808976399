import { expect, test } from 'vitest';
import type { Observed } from '../../../src/model/domain.ts';
import type { NetworkFields } from '../../../src/model/network.ts';
import { absent, present, unknown } from '../../../src/model/observation.ts';
import { uplinkStatements } from '../../../src/report/uplink.ts';
import { observe } from '../../../src/observe/observe.ts';
import { installation, partition } from '../../support/passes.ts';
import { networkOf, testHost, worldOf } from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const nat: NetworkFields = networkFields({ cidr: '10.20.0.0/24' });

async function said(
  spec: NetworkFields | null,
  there: NetworkFields,
  uplinks: Observed['uplinks'],
): Promise<readonly string[]> {
  const host = testHost(worldOf({ recorded: true, network: networkOf({ fields: there }) }));
  const nothing = {
    wanted: new Set<never>(),
    volumes: new Set<never>(),
    images: new Set<never>(),
    seeds: new Set<never>(),
  };
  const observed = await observe(host, {
    ...nothing,
    partition,
    files: new Set(),
    catalogue: new Set(),
    withCid: new Set(),
    primary: null,
    newInstallation: installation,
    signal: new AbortController().signal,
  });
  const statements = uplinkStatements({ ...observed, uplinks }, { network: spec });
  return statements.map(({ status, reason, message }) => `${status} ${reason}: ${message}`);
}

const by = (...devices: readonly string[]): Observed['uplinks'] =>
  present(devices.map((device) => ({ kind: 'leaves', by: device })));
const eth1 = { ...nat, uplink: 'eth1' };

test('a network that leaves as its Primary does is nothing to say', async () => {
  expect(await said(nat, eth1, by('eth1'))).toEqual([]);
  expect(await said(nat, eth1, absent)).toEqual([]);
  expect(await said(null, eth1, by('eth0'))).toEqual([]);
  expect(await said(nat, { ...nat, mode: 'isolated' }, by('eth0'))).toEqual([]);
});

test('one that leaves elsewhere is told, whoever has chosen it', async () => {
  const told = [
    'True PrimaryLeavesElsewhere: the network leaves by eth1, and the NIC of the Primary by eth0; if the network is to follow, halt its guests and name eth0 as spec.network.uplink',
  ];
  expect(await said(nat, eth1, by('eth0'))).toEqual(told);
  expect(await said(eth1, eth1, by('eth0'))).toEqual(told);
});

test('what cannot be told is not taken for the same', async () => {
  expect(await said(nat, eth1, unknown('cut'))).toEqual(['Unknown HostUnknown: cut']);
  expect(await said(nat, eth1, by('eth0', 'eth1'))).toEqual([
    'Unknown UplinkUndecided: the NICs of its Primary leave by eth0, eth1; the network leaves by eth1, until spec.network.uplink names another',
  ]);
  expect(await said(eth1, eth1, by('eth0', 'eth1'))).toEqual([]);
  expect((await said(nat, nat, present([])))[0]).toMatch(
    /^Unknown UplinkUndecided: its Primary has no NIC; the network leaves by whichever interface/,
  );
});
