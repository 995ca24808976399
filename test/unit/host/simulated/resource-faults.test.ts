/** The faults of the calls that change Volumes, Images and networks: what each of them leaves. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import type { CallName } from '../../../../src/host/simulated/calls.ts';
import type { Fault } from '../../../../src/host/simulated/faults.ts';
import { fieldsOf } from '../../../../src/model/domain.ts';
import { bridgeName } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { joinUses, useOf } from '../../../../src/model/volume.ts';
import { fromFile, installation, partition, secondary } from '../../../support/passes.ts';
import {
  digestOf,
  domainOf,
  imageOf,
  networkOf,
  networkRef,
  onCall,
  refOf,
  type TestHost,
  testHost,
  unreadableImage,
  unreadableNetwork,
  unreadableVolume,
  volumeOf,
  worldOf,
} from '../../../support/simulation.ts';
import { networkFields } from '../../../support/network-fields.ts';

const { signal } = new AbortController();
const error = new HostError('Unreachable', 'the wire is cut');
const owner = { installation, partition };
const web = 'web' as SecondaryName;
const GiB = 2 ** 30;
const [data, fresh, spare] = [volumeOf('data'), volumeOf('fresh'), volumeOf('spare')];
const [debian, alpine] = [imageOf('debian'), imageOf('alpine')];
const reservation = { mac: '52:00:00:00:00:02', address: '10.20.0.2' };
const db = { db: { mac: '52:00:00:00:00:03', address: '10.20.0.3' } };
const cidr = '10.30.0.0/24';
const definition = {
  ...networkRef,
  owner,
  bridge: bridgeName(owner),
  fields: networkFields({ cidr }),
} as const;

/** A guest that runs with `data`; `spare` is nobody's, and `fresh` and `alpine` are not there yet. */
function worldBefore(active: boolean) {
  const defined = { ...fieldsOf(secondary('web')), volumes: joinUses([useOf(data)]) };
  return worldOf({
    domains: [domainOf('web', { power: { status: 'running' }, defined })],
    volumes: [data, spare],
    images: [debian],
    network: networkOf({ active, reservations: db }),
  });
}

interface Case {
  readonly name: CallName;
  readonly subject: string;
  /** Of the network, before. */
  readonly active?: boolean;
  readonly call: (host: TestHost) => Promise<void>;
  /** What the call changes. */
  readonly look: (host: TestHost) => unknown;
  readonly before: unknown;
  readonly after: unknown;
  /** What half of it leaves; the same as `after` where nothing is said. */
  readonly half?: unknown;
}

const volumeIn = ({ world }: TestHost, { name }: typeof data) =>
  world.volumes.get(partition)?.get(name);
const imageIn = ({ world }: TestHost, { name }: typeof debian) =>
  world.images.get(partition)?.get(name);
const networkIn = ({ world }: TestHost) => world.networks.get(networkRef.uuid);
const reservedIn = async ({ networks }: TestHost) => {
  const seen = await networks.find(networkRef, signal);
  if (seen.status !== 'present') return null;
  const { reservations, stray } = seen.value;
  return [...reservations.keys(), ...stray.map((name) => `stray ${name}`)];
};
const importing = { ...alpine, source: fromFile('root.img'), virtualBytesMax: null };

const cases: readonly Case[] = [
  {
    name: 'volumes.create',
    subject: 'volume fresh',
    call: ({ volumes }) => volumes.create(owner, fresh, signal),
    look: (host) => volumeIn(host, fresh)?.state,
    before: undefined,
    after: 'ready',
    half: 'creating',
  },
  {
    name: 'volumes.grow',
    subject: 'volume spare',
    call: ({ volumes }) => volumes.grow(owner, spare.name, 2 * GiB, signal),
    look: (host) => volumeIn(host, spare)?.sizeBytes,
    before: GiB,
    after: 2 * GiB,
  },
  {
    name: 'volumes.setDeletionPolicy',
    subject: 'volume data',
    call: ({ volumes }) => volumes.setDeletionPolicy(owner, data.name, 'Delete', signal),
    look: (host) => volumeIn(host, data)?.deletionPolicy,
    before: 'Retain',
    after: 'Delete',
  },
  {
    name: 'volumes.delete',
    subject: 'volume spare',
    call: ({ volumes }) => volumes.delete(owner, spare.name, signal),
    look: (host) => volumeIn(host, spare)?.state,
    before: 'ready',
    after: undefined,
    half: 'deleting',
  },
  {
    name: 'images.verify',
    subject: 'image alpine',
    call: ({ images }) => images.verify(owner, importing, signal),
    look: (host) => imageIn(host, alpine)?.state,
    before: undefined,
    after: undefined,
  },
  {
    name: 'images.import',
    subject: 'image alpine',
    call: ({ images }) => images.import(owner, importing, signal),
    look: (host) => imageIn(host, alpine)?.state,
    before: undefined,
    after: 'ready',
    half: 'creating',
  },
  {
    name: 'images.delete',
    subject: 'image debian',
    call: ({ images }) => images.delete(owner, debian.name, signal),
    look: (host) => imageIn(host, debian)?.state,
    before: 'ready',
    after: undefined,
    half: 'deleting',
  },
  {
    name: 'growDisk',
    subject: 'volume data',
    call: ({ domains }) => domains.growDisk(refOf('web'), data.name, 2 * GiB, signal),
    look: (host) => volumeIn(host, data)?.sizeBytes,
    before: GiB,
    after: 2 * GiB,
  },
  {
    name: 'networks.define',
    subject: 'network unnest.team-a',
    call: ({ networks }) => networks.define(definition, signal),
    look: (host) => networkIn(host)?.definition?.fields?.cidr,
    before: '10.20.0.0/24',
    after: cidr,
  },
  {
    name: 'networks.start',
    subject: 'network unnest.team-a',
    active: false,
    call: ({ networks }) => networks.start(networkRef, signal),
    look: (host) => networkIn(host)?.live !== null,
    before: false,
    after: true,
  },
  {
    name: 'networks.stop',
    subject: 'network unnest.team-a',
    call: ({ networks }) => networks.stop(networkRef, signal),
    look: (host) => networkIn(host)?.live !== null,
    before: true,
    after: false,
  },
  {
    name: 'networks.undefine',
    subject: 'network unnest.team-a',
    active: false,
    call: ({ networks }) => networks.undefine(networkRef, signal),
    look: networkIn,
    before: networkOf({ active: false, reservations: db }),
    after: undefined,
  },
  {
    name: 'networks.reserve',
    subject: 'secondary web',
    call: ({ networks }) => networks.reserve(networkRef, web, reservation, signal),
    look: reservedIn,
    before: ['db'],
    after: ['db', 'web'],
    half: ['db', 'stray web'],
  },
  {
    name: 'networks.unreserve',
    subject: 'secondary db',
    call: ({ networks }) => networks.unreserve(networkRef, 'db' as SecondaryName, signal),
    look: reservedIn,
    before: ['db'],
    after: [],
  },
];

const faults: readonly (readonly [string, Fault, 'before' | 'after' | 'half'])[] = [
  ['an error', { kind: 'error', error }, 'before'],
  ['a lost reply', { kind: 'lost-reply', code: 'Timeout' }, 'after'],
  ['half a call', { kind: 'partial', error }, 'half'],
  ['a crash before it', { kind: 'crash', when: 'before' }, 'before'],
  ['a crash after it', { kind: 'crash', when: 'after' }, 'after'],
];

describe.each(cases)('$name of $subject', (each) => {
  test.each(faults)('%s', async (_what, fault, leaves) => {
    const rules = [onCall(each.name, fault, each.subject)];
    const host = testHost(worldBefore(each.active ?? true), { rules });
    await expect(each.call(host)).rejects.toThrow(/wire|lost|crashed/);
    const next = testHost(host.world);
    const { before, after, half = after } = each;
    expect(await each.look(next)).toEqual({ before, after, half }[leaves]);
    expect(host.faults.calls).toMatchObject([{ name: each.name, writes: true }]);
  });

  test('without one', async () => {
    const rules = [onCall(each.name, { kind: 'error', error }, 'volume other')];
    const host = testHost(worldBefore(each.active ?? true), { rules });
    await each.call(host);
    expect(await each.look(testHost(host.world))).toEqual(each.after);
  });
});

describe('what half a call left', () => {
  const half = { kind: 'partial', error } as const;

  test.each([
    ['half a Volume is made over', 'volumes.create'],
    ['half an Image is made over', 'images.import'],
    ['half a reservation is made whole', 'networks.reserve'],
    ['half a deleted Volume is deleted', 'volumes.delete'],
    ['half a deleted Image is deleted', 'images.delete'],
  ] as const)('%s', async (_what, name) => {
    const each = cases.find((candidate) => candidate.name === name);
    const host = testHost(worldBefore(true), { rules: [onCall(name, half)] });
    await expect(each?.call(host)).rejects.toBe(error);
    const next = testHost(host.world);
    await each?.call(next);
    expect(await each?.look(next)).toEqual(each?.after);
  });
});

describe('what cannot be read is unknown', () => {
  const why = { status: 'unknown', why: 'the test says so' };
  const rules = [unreadableVolume('data'), unreadableImage('debian'), unreadableNetwork()];
  const host = () => testHost(worldBefore(true), { rules });

  test('a Volume, and no other', async () => {
    const { volumes } = host();
    expect(await volumes.read(partition, data.name, signal)).toEqual(why);
    expect(await volumes.read(partition, spare.name, signal)).toMatchObject({ status: 'present' });
    expect(await volumes.list(partition, signal)).toEqual(['data', 'spare']);
  });

  test('an Image', async () => {
    const { images } = host();
    expect(await images.read(partition, debian.name, signal)).toEqual(why);
    expect(await images.list(partition, signal)).toEqual(['debian']);
  });

  test('a network', async () => {
    expect(await host().networks.find(networkRef, signal)).toEqual(why);
  });
});

test('digests of tests differ', () => {
  expect(digestOf(1)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(digestOf(1)).not.toBe(digestOf(2));
});
