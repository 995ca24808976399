/** What a plan does not take away, and does not give to two. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { useOf, type Volume } from '../../../src/model/volume.ts';
import {
  applyPass,
  blocksIn,
  converge,
  desiredWith,
  image,
  planPass,
  secondary,
  volume,
} from '../../support/passes.ts';
import {
  digestOf,
  domainOf,
  imageOf,
  networkOf,
  onCall,
  testHost,
  unreadable,
  volumeOf,
  worldOf,
} from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const data = volume('data', { sizeBytes: 2 ** 30 });
const withDisks = (name: string, disks: readonly Volume[], more: Partial<Secondary> = {}) =>
  secondary(name, { disks: disks.map(useOf), ...more });
const running = (name: string, disks: readonly Volume[], more: Partial<Secondary> = {}) =>
  domainOf(name, { power: { status: 'running' }, defined: fieldsOf(withDisks(name, disks, more)) });
/** One that sleeps on, and so lets go of nothing. */
const asleep = { runPolicy: 'Manual' } as const;
const sleeping = (name: string, disks: readonly Volume[]) =>
  domainOf(name, {
    power: { status: 'paused' },
    defined: fieldsOf(withDisks(name, disks, asleep)),
  });

describe('a Volume that a guest keeps', () => {
  const world = (policy: 'Delete' | 'Retain', old = sleeping('old', [data])) =>
    worldOf({
      recorded: true,
      volumes: [volumeOf('data', { deletionPolicy: policy })],
      domains: [old],
    });

  test('is not given to another, until the guest lets go of it', async () => {
    const host = testHost(world('Retain'));
    const moved = desiredWith({
      volumes: [data],
      secondaries: [withDisks('old', [], asleep), withDisks('new', [data])],
    });
    expect(blocksIn(await planPass(host, moved))).toEqual(['new VolumeInUse']);
    const restarted = desiredWith({
      volumes: [data],
      secondaries: [
        withDisks('old', [], { updatePolicy: 'Restart', vcpus: 2 }),
        withDisks('new', [data]),
      ],
    });
    const plan = await planPass(host, restarted);
    expect(blocksIn(plan)).toEqual([]);
    const start = plan.operations.find(({ id }) => id === 'domain.start/new');
    expect(start?.after).toContain('domain.stop/old');
    await converge(host, restarted);
  });

  test('is not deleted under it', async () => {
    const host = testHost(world('Delete'));
    const wanted = desiredWith({ secondaries: [withDisks('old', [], asleep)] });
    expect(blocksIn(await planPass(host, wanted))).toEqual(['data VolumeInUse']);
  });

  test('is deleted after it', async () => {
    const host = testHost(world('Delete', running('old', [data])));
    const plan = await planPass(host, desiredWith({ secondaries: [secondary('web')] }), true);
    const deletion = plan.operations.find(({ kind }) => kind === 'volume.delete');
    expect(deletion?.after).toContain('domain.undefine/old');
  });

  test('may swap places with another in one plan', async () => {
    const [a, b] = [volume('a'), volume('b')];
    const restart = { updatePolicy: 'Restart' } as const;
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: [volumeOf('a', a), volumeOf('b', b)],
        domains: [running('one', [a], restart), running('two', [b], restart)],
      }),
    );
    const swapped = desiredWith({
      volumes: [a, b],
      secondaries: [withDisks('one', [b], restart), withDisks('two', [a], restart)],
    });
    const { outcomes } = await applyPass(host, swapped);
    expect(outcomes.map(({ result }) => result.status)).not.toContain('failed');
    expect((await planPass(host, swapped)).operations).toEqual([]);
  });
});

describe('where it is not known who has what', () => {
  const world = worldOf({
    recorded: true,
    volumes: [volumeOf('data', { deletionPolicy: 'Delete' }), volumeOf('small')],
    domains: [running('web', [])],
  });
  const wanted = desiredWith({
    secondaries: [secondary('web')],
    volumes: [volume('small', { sizeBytes: 2 ** 31 })],
  });
  const cut = onCall('list', { kind: 'error', error: new Error('the wire is cut') });

  test.each([
    ['nobody can be listed', cut],
    ['one cannot be read', unreadable('web')],
  ])('because %s, nothing is deleted and nothing grows', async (_why, rule) => {
    const host = testHost(structuredClone(world), { rules: [rule] });
    const plan = await planPass(host, wanted, true);
    expect(blocksIn(plan)).toEqual(['data HostUnknown', 'small HostUnknown', 'web HostUnknown']);
    expect(plan.operations).toEqual([]);
  });
});

test('where somebody cannot be read, nobody is defined on a network that waits for them', async () => {
  const domains = [running('web', [], { network: 'Partition' })];
  const host = testHost(worldOf({ recorded: true, network: networkOf(), domains }), {
    rules: [unreadable('web')],
  });
  const wanted = desiredWith({
    network: networkFields({ cidr: '10.30.0.0/24' }),
    secondaries: [secondary('idle', { network: 'Partition', runPolicy: 'Manual' })],
  });
  const plan = await planPass(host, wanted, true);
  expect(blocksIn(plan)).toEqual(['team-a HostUnknown', 'idle PartBlocked', 'web HostUnknown']);
  expect(plan.operations).toEqual([]);
});

describe('what is blocked late', () => {
  const v1 = volume('v1');
  const v2 = volume('v2');
  const there = [v1, v2].map((each) => volumeOf(each.name, each));
  const restart = { updatePolicy: 'Restart' } as const;

  test('still has what it had, so that the next one waits too', async () => {
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: there,
        domains: [sleeping('a', [v1]), running('b', [v2], restart), running('c', [], restart)],
      }),
    );
    const wanted = desiredWith({
      volumes: [v1, v2],
      secondaries: [
        withDisks('a', [], asleep),
        withDisks('b', [v1], restart),
        withDisks('c', [v2], restart),
      ],
    });
    expect(blocksIn(await planPass(host, wanted))).toEqual(['b VolumeInUse', 'c VolumeInUse']);
    await converge(host, wanted);
    expect(host.writes.filter((write) => write.startsWith('shutdown'))).toEqual([]);
  });

  test('does not run for those that start after it', async () => {
    const host = testHost(
      worldOf({ recorded: true, volumes: there, domains: [sleeping('a', [v1])] }),
    );
    const wanted = desiredWith({
      volumes: [v1],
      secondaries: [
        withDisks('a', [], asleep),
        withDisks('b', [v1]),
        secondary('c', { startAfter: ['b'] as never }),
      ],
    });
    expect(blocksIn(await planPass(host, wanted))).toEqual(['b VolumeInUse', 'c StartAfterUnmet']);
  });

  test('is no reason to go down: whoever gives a Volume away must be able to', async () => {
    const full = new HostError('Refused', 'no room');
    const more = { ...restart, vcpus: 2 };
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: there,
        domains: [running('a', [v1], restart), running('b', [], restart)],
      }),
      { rules: [onCall('volumes.create', { kind: 'error', error: full })] },
    );
    const wanted = desiredWith({
      volumes: [v1, volume('v9')],
      secondaries: [withDisks('a', [volume('v9')], more), withDisks('b', [v1], more)],
    });
    await applyPass(host, wanted);
    expect(host.writes.filter((write) => /^(shutdown|powerOff)/.test(write))).toEqual([]);
  });

  test('the network: nobody starts on one that is not as it is to be', async () => {
    const host = testHost(
      worldOf({ recorded: true, network: networkOf(), domains: [running('x', [])] }),
      { rules: [unreadable('x')] },
    );
    const wanted = desiredWith({
      network: networkFields({ cidr: '10.30.0.0/24' }),
      secondaries: [secondary('b', { network: 'Partition' }), secondary('x')],
    });
    expect(blocksIn(await planPass(host, wanted))).toEqual([
      'team-a HostUnknown',
      'b PartBlocked',
      'x HostUnknown',
    ]);
  });
});

describe('what is in the way does not forbid its own remedy', () => {
  test('a guest is halted though the network that it is on is blocked because of it', async () => {
    const defined = fieldsOf(secondary('web', { network: 'Partition' }));
    const host = testHost(
      worldOf({
        recorded: true,
        network: networkOf(),
        domains: [domainOf('web', { power: { status: 'running' }, defined })],
      }),
    );
    const network = networkFields({ cidr: '10.30.0.0/24' });
    const halted = secondary('web', { network: 'Partition', runPolicy: 'Halted' });
    await converge(host, desiredWith({ network, secondaries: [halted] }));
    const plan = await planPass(host, desiredWith({ network, secondaries: [halted] }));
    expect(blocksIn(plan)).toEqual([]);
    expect(plan.operations).toEqual([]);
  });

  test('and so it is though its Volume is to shrink', async () => {
    const big = volume('big', { sizeBytes: 2 ** 31 });
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: [volumeOf('big', big)],
        domains: [running('web', [big])],
      }),
    );
    const wanted = desiredWith({
      volumes: [volume('big')],
      secondaries: [withDisks('web', [big], { runPolicy: 'Halted' })],
    });
    const plan = await planPass(host, wanted);
    expect(blocksIn(plan)).toEqual(['big ShrinkRefused']);
    expect(plan.operations.map(({ kind }) => kind)).toContain('domain.stop');
  });
});

describe('an Image', () => {
  const origin = {
    image: imageOf('deb').name,
    digest: digestOf(1),
    format: 'raw',
    provision: 'Overlay',
  } as const;
  const overlay = volumeOf('over', { format: 'qcow2', origin });
  const other = image('deb', { digest: digestOf(2) });

  test('that is gone is not made of other bytes under what lies on it', async () => {
    const host = testHost(worldOf({ recorded: true, volumes: [overlay] }));
    const same = { ...overlay, origin: { ...origin, digest: digestOf(2) } };
    const plan = await planPass(
      host,
      desiredWith({ images: [other], volumes: [{ ...volume('over'), ...same }] }),
    );
    expect(blocksIn(plan)).toEqual(['deb ImageInUse', 'over PartBlocked']);
  });

  test('stays while a Volume that may lie on it cannot be read', async () => {
    const host = testHost(
      worldOf({ recorded: true, volumes: [overlay], images: [imageOf('deb')] }),
      { rules: [onCall('volumes.read', { kind: 'error', error: new Error('no') })] },
    );
    expect(blocksIn(await planPass(host, desiredWith({}), true))).toEqual([
      'deb HostUnknown',
      'over HostUnknown',
    ]);
  });

  test('and whoever begins as what it was to be waits as well', async () => {
    const host = testHost(
      worldOf({ recorded: true, volumes: [overlay], images: [imageOf('deb')] }),
      { rules: [onCall('volumes.read', { kind: 'error', error: new Error('no') })] },
    );
    const begun = { ...origin, digest: digestOf(2), provision: 'Copy' } as const;
    const copy = volume('copy', { origin: begun });
    const plan = await planPass(
      host,
      desiredWith({ images: [other], volumes: [copy], secondaries: [withDisks('web', [copy])] }),
    );
    expect(blocksIn(plan).toSorted()).toEqual([
      'copy PartBlocked',
      'deb HostUnknown',
      'over HostUnknown',
      'web PartBlocked',
    ]);
    expect(plan.operations.map(({ id }) => id)).toEqual([]);
  });

  test('that is larger than the Volume is known before anything is given up', async () => {
    const ready = imageOf('deb', { digest: digestOf(1), format: 'raw', sizeBytes: 2 ** 30 });
    const host = testHost(worldOf({ recorded: true, images: [ready] }));
    const small = volume('small', { sizeBytes: 2 ** 20, origin: { ...origin, provision: 'Copy' } });
    const plan = await planPass(
      host,
      desiredWith({ images: [image('deb', { digest: digestOf(1) })], volumes: [small] }),
    );
    expect(blocksIn(plan)).toEqual(['small ShrinkRefused']);
  });
});

test('documents without anything do not delete data without the word', async () => {
  const host = testHost(
    worldOf({ recorded: true, volumes: [volumeOf('data', { deletionPolicy: 'Delete' })] }),
  );
  expect(blocksIn(await planPass(host, desiredWith({})))).toEqual(['data DeletesEverything']);
});

test('nor the Images that a Primary would have to supply again', async () => {
  const ready = imageOf('deb', { digest: digestOf(1), format: 'raw', sizeBytes: 2 ** 30 });
  const web = running('web', []);
  const host = testHost(worldOf({ recorded: true, images: [ready], domains: [web] }));
  const plan = await planPass(host, desiredWith({}));
  expect(blocksIn(plan)).toEqual(['deb DeletesEverything', 'web DeletesEverything']);
  expect(plan.operations).toEqual([]);
});

describe('what somebody did to a guest beside us', () => {
  const data2 = volume('data', { sizeBytes: 2 ** 30 });
  const stopped = { status: 'stopped', reason: 'guest-shutdown' } as const;
  const fieldsWith = (disks: readonly Volume[]) => fieldsOf(withDisks('web', disks));

  test('saved memory keeps its Volumes: they neither change nor go, nor go to another', async () => {
    const web = domainOf('web', { power: stopped, saved: true, defined: fieldsWith([data2]) });
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: [volumeOf('data', { deletionPolicy: 'Delete' })],
        domains: [web],
      }),
    );
    const without = desiredWith({ secondaries: [withDisks('web', [], { runPolicy: 'Halted' })] });
    expect(blocksIn(await planPass(host, without))).toEqual(['data VolumeInUse', 'web SavedState']);
    const moved = desiredWith({
      volumes: [data2],
      secondaries: [withDisks('web', [], { runPolicy: 'Halted' }), withDisks('db', [data2])],
    });
    expect(blocksIn(await planPass(host, moved))).toEqual(['db VolumeInUse', 'web SavedState']);
    const same = desiredWith({ volumes: [data2], secondaries: [withDisks('web', [data2])] });
    expect(blocksIn(await planPass(host, same))).toEqual([]);
  });

  test.each([
    ['runs', { power: { status: 'running' } }],
    ['is saved, too,', { power: stopped, saved: true }],
  ] as const)(
    'saved memory with a Volume with which another %s waits for that',
    async (_, held) => {
      const fields = { stays: fieldsWith([data2]), goes: fieldsWith([]) };
      const web = domainOf('web', { power: stopped, saved: true, defined: fields.stays });
      // It lets go of it with its next start only.
      const old = { ...fields.stays, vcpus: 2, vcpusMax: 2, bootVolume: 'root:raw' };
      const app = domainOf('app', { defined: fields.goes, ...held, live: old });
      const saved = domainOf('app', { ...held, defined: old });
      const host = testHost(
        worldOf({
          recorded: true,
          volumes: [volumeOf('data'), volumeOf('root')],
          domains: ['saved' in held ? saved : app, web],
        }),
      );
      const wanted = desiredWith({
        volumes: [data2],
        secondaries: [secondary('app'), withDisks('web', [data2])],
      });
      const plan = await planPass(host, wanted);
      expect(blocksIn(plan)).toContain('web VolumeInUse');
      expect(plan.operations.map(({ id }) => id)).not.toContain('domain.start/web');
    },
  );

  test('a snapshot in the place of a Volume is not taken back: it has what was written since', async () => {
    const defined = { ...fieldsWith([data2]), volumes: '/elsewhere/snap.qcow2 (edited)' };
    const web = domainOf('web', { power: stopped, defined, lastApplied: fieldsWith([data2]) });
    const host = testHost(worldOf({ recorded: true, volumes: [volumeOf('data')], domains: [web] }));
    const wanted = desiredWith({ volumes: [data2], secondaries: [withDisks('web', [data2])] });
    expect(blocksIn(await planPass(host, wanted))).toEqual(['web DiskMoved']);
  });
});
