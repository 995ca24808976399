/** Networks whose definition and whose running side differ: what the network contract leaves out. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import { bridgeName } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import type { NetworkFields } from '../../../../src/model/network.ts';
import { installation, partition } from '../../../support/passes.ts';
import {
  networkOf,
  type NetworkParts,
  networkRef,
  onCall,
  testHost,
  worldOf,
} from '../../../support/simulation.ts';
import { networkFields } from '../../../support/network-fields.ts';

const { signal } = new AbortController();
const owner = { installation, partition };
const web = 'web' as SecondaryName;
const two = { mac: '52:00:00:00:00:02', address: '10.20.0.2' };
const three = { mac: '52:00:00:00:00:03', address: '10.20.0.3' };
const fields: NetworkFields = networkFields({ cidr: '10.20.0.0/24', mode: 'routed' });
const definition = { ...networkRef, owner, bridge: bridgeName(owner), fields };

const hostOf = (parts: NetworkParts) => testHost(worldOf({ network: networkOf(parts) }));
const look = async ({ networks }: ReturnType<typeof hostOf>) => {
  const seen = await networks.find(networkRef, signal);
  return seen.status === 'present' ? seen.value : null;
};

describe('a reservation', () => {
  test.each([
    ['only in the definition', { reservations: { web: two }, live: {} }],
    ['only in what runs', { reservations: {}, live: { web: two } }],
    ['of two addresses', { reservations: { web: two }, live: { web: { ...two, ...three } } }],
    [
      'of one MAC and two addresses',
      { reservations: { web: two }, live: { web: { ...two, address: three.address } } },
    ],
    [
      'of one address and two MACs',
      { reservations: { web: two }, live: { web: { ...two, mac: three.mac } } },
    ],
  ])('%s is stray until it is made or taken away', async (_what, parts) => {
    for (const end of ['reserve', 'unreserve'] as const) {
      const host = hostOf(parts);
      expect(await look(host)).toMatchObject({ reservations: new Map(), stray: ['web'] });
      if (end === 'reserve') await host.networks.reserve(networkRef, web, two, signal);
      else await host.networks.unreserve(networkRef, web, signal);
      const reservations = new Map(end === 'reserve' ? [[web, two]] : []);
      expect(await look(host)).toMatchObject({ reservations, stray: [] });
    }
  });

  test('of what somebody has on one of the sides is refused', async () => {
    const host = hostOf({ reservations: {}, live: { db: two } });
    const call = host.networks.reserve(networkRef, web, two, signal);
    await expect(call).rejects.toBeInstanceOf(HostError);
    expect(await look(host)).toMatchObject({ reservations: new Map(), stray: ['db'] });
  });

  test('half made in a network that was started is not in what runs', async () => {
    const host = hostOf({ active: false });
    host.rules.push(onCall('networks.reserve', { kind: 'partial', error: new Error('cut') }));
    const half = testHost(host.world, { rules: host.rules });
    await half.networks.start(networkRef, signal);
    await expect(half.networks.reserve(networkRef, web, two, signal)).rejects.toThrow('cut');
    expect(await look(host)).toMatchObject({ reservations: new Map(), stray: ['web'] });
  });
});

describe('a network without a definition', () => {
  const transient = { persistent: false, reservations: { web: two } };

  test('cannot lose it again', async () => {
    const host = hostOf(transient);
    const call = host.networks.undefine(networkRef, signal);
    await expect(call).rejects.toMatchObject({ code: 'Refused' });
    expect(await look(host)).toMatchObject({ active: true, defined: null, owner });
  });

  test('can be given one, with what is reserved in it', async () => {
    const host = hostOf(transient);
    await host.networks.define(definition, signal);
    expect(await look(host)).toMatchObject({
      active: true,
      defined: fields,
      reservations: new Map([[web, two]]),
      stray: [],
    });
  });
});

test('a network keeps its name whatever it is defined as', async () => {
  const host = hostOf({});
  await host.networks.define({ ...definition, networkName: 'another' }, signal);
  expect(await look(host)).toMatchObject({ networkName: networkRef.networkName, defined: fields });
});
