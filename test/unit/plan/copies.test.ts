/** Volumes that begin with the data of others: before anybody writes to those, grows them or takes them away. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { VolumeName } from '../../../src/model/names.ts';
import { useOf } from '../../../src/model/volume.ts';
import {
  converge,
  desiredWith,
  partition,
  planPass,
  secondary,
  volume,
} from '../../support/passes.ts';
import { shareWithStorage } from '../../support/share.ts';
import { domainOf, testHost, volumeOf, worldOf } from '../../support/simulation.ts';

const GiB = 2 ** 30;
const of = (name: string) => ({ sizeBytes: GiB, copyOf: name as VolumeName });

/** What has to be done before, by operation. */
async function needs() {
  const fresh = volume('fresh', { sizeBytes: GiB });
  const desired = desiredWith({
    volumes: [
      fresh,
      volume('again', of('fresh')),
      volume('idle', { sizeBytes: 2 * GiB }),
      volume('monday', of('idle')),
      volume('saved', of('going')),
    ],
    secondaries: [secondary('db', { disks: [useOf(fresh)] })],
  });
  const volumes = [volumeOf('idle'), volumeOf('going', { deletionPolicy: 'Delete' })];
  const { operations } = await planPass(
    testHost(worldOf({ recorded: true, volumes })),
    desired,
    true,
  );
  return new Map<string, readonly string[]>(operations.map(({ id, after }) => [id, after]));
}

test('a guest starts after its disk has grown', async () => {
  const data = volume('data', { sizeBytes: 2 * GiB });
  const there = volumeOf('data', { sizeBytes: GiB });
  const wanted = desiredWith({
    volumes: [data],
    secondaries: [secondary('db', { disks: [useOf(data)] })],
  });
  const plan = await planPass(testHost(worldOf({ recorded: true, volumes: [there] })), wanted);
  const start = plan.operations.find(({ id }) => id === 'domain.start/db');
  expect(start?.after).toContain('volume.grow/data');
});

test('one whose source waits after a failure waits with it, and is not tried', async () => {
  const wanted = desiredWith({ volumes: [volume('fresh'), volume('again', of('fresh'))] });
  const held = new Map([['volume/fresh', { code: 'BackOff', message: 'a moment' } as const]]);
  const host = testHost(worldOf({ recorded: true }));
  const plan = await planPass(host, wanted, false, null, {}, held);
  expect(plan.operations).toEqual([]);
  expect(plan.entries).toContainEqual(
    expect.objectContaining({
      resource: { kind: 'volume', name: 'again' },
      block: expect.objectContaining({ code: 'PartBlocked' }),
    }),
  );
});

test.each([
  ['one begins after what it is a copy of', 'volume.create/again', 'volume.create/fresh'],
  ['a guest starts after its disk was copied', 'domain.start/db', 'volume.create/again'],
  ['a Volume grows after it was copied', 'volume.grow/idle', 'volume.create/monday'],
  ['a Volume goes after it was copied', 'volume.delete/going', 'volume.create/saved'],
])('%s', async (_what, later, sooner) => {
  expect((await needs()).get(later)).toContain(sooner);
});

describe('what another is to begin with stays until that has', () => {
  const going = volumeOf('going', { deletionPolicy: 'Delete' });
  const wanted = desiredWith({ volumes: [volume('saved', of('going'))] });
  const stays = { resource: { kind: 'volume', name: 'going' }, kind: 'blocked' };

  test('while a guest writes to it, also where this plan halts that', async () => {
    const idle = secondary('web', { runPolicy: 'Halted' });
    const defined = { ...fieldsOf(secondary('web')), volumes: 'going:raw' };
    const domains = [domainOf('web', { defined, power: { status: 'running' } })];
    const host = testHost(worldOf({ recorded: true, volumes: [going], domains }));
    const halted = desiredWith({ volumes: [volume('saved', of('going'))], secondaries: [idle] });
    const plan = await planPass(host, halted, true);
    expect(plan.operations.map(({ kind }) => kind)).toContain('domain.stop');
    expect(plan.operations.map(({ kind }) => kind)).not.toContain('volume.delete');
    expect(plan.entries).toContainEqual(expect.objectContaining(stays));
    await converge(host, halted);
    const left = host.world.volumes.get(partition);
    expect([...(left?.keys() ?? [])]).toEqual(['saved']);
  });

  test('while there is no room for both', async () => {
    const host = testHost(worldOf({ recorded: true, volumes: [going] }));
    const plan = await planPass(host, { ...wanted, share: shareWithStorage(GiB) }, true);
    expect(plan.operations).toEqual([]);
    expect(plan.entries).toContainEqual(expect.objectContaining(stays));
  });
});

test('nothing is copied of what a saved guest goes on with', async () => {
  const defined = { ...fieldsOf(secondary('web')), volumes: 'idle:raw' };
  const power = { status: 'stopped', reason: 'powered-off' } as const;
  const domains = [domainOf('web', { defined, power, saved: true })];
  const host = testHost(worldOf({ recorded: true, volumes: [volumeOf('idle')], domains }));
  const desired = desiredWith({ volumes: [volume('monday', of('idle'))] });
  const { entries } = await planPass(host, desired);
  expect(entries).toContainEqual(
    expect.objectContaining({
      resource: { kind: 'volume', name: 'monday' },
      block: expect.objectContaining({ code: 'VolumeInUse' }),
    }),
  );
});
