/** Addresses that are held, half held, or an operator's. */
import { describe, expect, test } from 'vitest';
import type { SimulatedNetwork } from '../../../src/host/simulated/world.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import { macAddress } from '../../../src/model/identity.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { NetworkFields } from '../../../src/model/network.ts';
import {
  converge,
  desired,
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
  testHost,
  worldOf,
} from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const web = secondary('web', { network: 'Partition' });
const mac = macAddress({ installation, partition, secondary: 'web' as SecondaryName });
const seven = { mac, address: '10.20.0.7' };
const theirs = { mac: '52:54:00:11:22:33', address: '10.20.0.50' };

const addressOf = (host: ReturnType<typeof testHost>) =>
  host.world.networks.get(networkRef.uuid)?.live?.reservations.get(web.name);

describe('an address', () => {
  test.each([
    ['only in the definition', { reservations: { web: seven }, live: {} }],
    ['only in the running network', { reservations: {}, live: { web: seven } }],
  ])('that is %s is given again, and no other', async (_where, parts) => {
    const host = testHost(worldOf({ recorded: true, network: networkOf(parts) }));
    await converge(host, desired(web));
    expect(addressOf(host)).toMatchObject(seven);
  });

  test('that an operator gave to the name stays, and the Secondary waits', async () => {
    const host = testHost(
      worldOf({ recorded: true, network: networkOf({ reservations: { web: theirs } }) }),
    );
    const plan = await planPass(host, desired(web));
    expect(plan.entries).toMatchObject([
      { resource: { kind: 'network' }, kind: 'unchanged' },
      { resource: { kind: 'filter' }, kind: 'unchanged' },
      { kind: 'blocked', block: { code: 'NameTaken' } },
    ]);
    await converge(host, desired());
    expect(addressOf(host)).toMatchObject(theirs);
  });
});

test('what cannot be read is not taken for gone, also where no network is wanted', async () => {
  const cut = onCall('networks.find', { kind: 'error', error: new Error('the wire is cut') });
  const host = testHost(worldOf({ recorded: true, network: networkOf() }), { rules: [cut] });
  const plan = await planPass(host, { ...desired(), network: null });
  expect(plan.entries).toMatchObject([{ kind: 'blocked', block: { code: 'HostUnknown' } }]);
});

test('a foreign network is named as what is in the way', async () => {
  const uuid = '00000000-0000-4000-8000-0000000000ff' as typeof networkRef.uuid;
  const foreign = networkOf({ owner: null, ref: { ...networkRef, uuid } });
  const host = testHost(worldOf({ recorded: true, network: foreign }));
  expect((await planPass(host, desired(web))).entries[0]).toMatchObject({
    block: { code: 'NameTaken' },
  });
  expect((await planPass(host, desired())).entries).toEqual([]);
});

describe('the definition and the running network are two things', () => {
  const nat = networkFields({ cidr: '10.20.0.0/24' });
  const other = networkFields({ cidr: '10.30.0.0/24' });
  const running = domainOf('web', { power: { status: 'running' }, defined: fieldsOf(web) });
  const kindsOf = async (network: SimulatedNetwork) => {
    const host = testHost(worldOf({ recorded: true, network, domains: [running] }));
    const plan = await planPass(host, { ...desired(web), network: nat });
    return plan.entries[0]?.kind === 'blocked'
      ? [plan.entries[0].block.code]
      : plan.operations.map(({ kind }) => kind);
  };
  const sides = (defined: NetworkFields, live: NetworkFields) => {
    const network = networkOf({ fields: defined, reservations: { web: seven } });
    return { ...network, live: networkOf({ fields: live, reservations: { web: seven } }).live };
  };

  test('a definition that somebody changed is mended under the guests', async () => {
    expect(await kindsOf(sides(other, nat))).toEqual(['network.define']);
  });
  test('and so is one that somebody took away', async () => {
    expect(await kindsOf({ ...sides(nat, nat), definition: null })).toEqual(['network.define']);
  });
  test('a running network of another subnet has to be stopped, and is not while it is in use', async () => {
    expect(await kindsOf(sides(nat, other))).toEqual(['NetworkInUse']);
  });
});
