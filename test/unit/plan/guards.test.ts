/** What a plan does not take away, and does not give to two. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { useOf, type Volume } from '../../../src/model/volume.ts';
import {
  applyPass,
  converge,
  desiredWith,
  planPass,
  secondary,
  volume,
} from '../../support/passes.ts';
import {
  domainOf,
  onCall,
  testHost,
  unreadable,
  volumeOf,
  worldOf,
} from '../../support/simulation.ts';

const data = volume('data', { sizeBytes: 2 ** 30 });
const withDisks = (name: string, disks: readonly Volume[], more: Partial<Secondary> = {}) =>
  secondary(name, { disks: disks.map(useOf), ...more });
const running = (name: string, disks: readonly Volume[], more: Partial<Secondary> = {}) =>
  domainOf(name, { power: { status: 'running' }, defined: fieldsOf(withDisks(name, disks, more)) });
const blocks = (plan: Awaited<ReturnType<typeof planPass>>) =>
  plan.entries.flatMap((entry) =>
    entry.kind === 'blocked' ? [`${entry.resource.name} ${entry.block.code}`] : [],
  );

describe('a Volume that a running guest keeps', () => {
  const world = (policy: 'Delete' | 'Retain') =>
    worldOf({
      recorded: true,
      volumes: [volumeOf('data', { deletionPolicy: policy })],
      domains: [running('old', [data])],
    });

  test('is not given to another, until the guest lets go of it', async () => {
    const host = testHost(world('Retain'));
    const moved = desiredWith({
      volumes: [data],
      secondaries: [withDisks('old', []), withDisks('new', [data])],
    });
    expect(blocks(await planPass(host, moved))).toEqual(['new VolumeInUse']);
    const restarted = desiredWith({
      volumes: [data],
      secondaries: [withDisks('old', [], { updatePolicy: 'Restart' }), withDisks('new', [data])],
    });
    const plan = await planPass(host, restarted);
    expect(blocks(plan)).toEqual([]);
    const start = plan.operations.find(({ id }) => id === 'domain.start/new');
    expect(start?.after).toContain('domain.stop/old');
    await converge(host, restarted);
  });

  test('is not deleted under it', async () => {
    const host = testHost(world('Delete'));
    const plan = await planPass(host, desiredWith({ secondaries: [withDisks('old', [])] }));
    expect(blocks(plan)).toEqual(['data VolumeInUse']);
  });

  test('is deleted after it', async () => {
    const host = testHost(world('Delete'));
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
    expect(blocks(plan)).toEqual(['data HostUnknown', 'small HostUnknown', 'web HostUnknown']);
    expect(plan.operations).toEqual([]);
  });
});

test('data counts among the deletions of a plan', async () => {
  const gone = ['a', 'b'].map((name) => volumeOf(name, { deletionPolicy: 'Delete' }));
  const host = testHost(worldOf({ recorded: true, volumes: gone }));
  const nothing = desiredWith({});
  expect(blocks(await planPass(host, nothing, true, 1))).toEqual([
    'a TooManyDeletions',
    'b TooManyDeletions',
  ]);
  expect(blocks(await planPass(host, nothing, true, 2))).toEqual([]);
});
