/** What the store for Volumes makes of what documents ask for, as a plan says it. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import type { HostView } from '../../../src/host/ports.ts';
import type { VolumeName } from '../../../src/model/names.ts';
import type { VolumeStore } from '../../../src/model/thin-pool.ts';
import type { ThinState, Volume } from '../../../src/model/volume.ts';
import { desiredWith, image, planPass, secondary, volume } from '../../support/passes.ts';
import { shareWithStorage } from '../../support/share.ts';
import { imageOf, testHost, volumeOf, worldOf } from '../../support/simulation.ts';

const MiB = 2 ** 20;
const pool = 'vg/thin';
const thin: VolumeStore = {
  pool,
  grainBytes: 4 * MiB,
  keeps: 'raw',
  freeBytes: 64 * MiB,
  refusal: null,
};

/** As large as `volume` asks for. */
const kept = (name: string, more: Parameters<typeof volumeOf>[1] = {}) =>
  volumeOf(name, { sizeBytes: 64 * MiB, ...more });

type Worlds = Parameters<typeof worldOf>[0];

function hostWith(store: Partial<VolumeStore> | Error, world: Worlds = {}): HostView {
  const host = testHost(worldOf({ recorded: true, ...world }));
  const look = async () => {
    if (store instanceof Error) throw store;
    return { ...thin, ...store };
  };
  return { ...host, volumes: { ...host.volumes, store: look } };
}

async function planned(host: HostView, ...volumes: readonly Volume[]) {
  const { operations, entries } = await planPass(host, desiredWith({ volumes }), true);
  const blocks = entries.flatMap((each) =>
    each.kind === 'blocked' ? [[each.resource.name, each.block.code, each.block.message]] : [],
  );
  return { operations, blocks };
}

test('a size is rounded up to what there is', async () => {
  const { operations, blocks } = await planned(
    hostWith({}),
    volume('data', { sizeBytes: 5 * MiB }),
  );
  expect(blocks).toEqual([]);
  expect(operations).toMatchObject([{ kind: 'volume.create', volume: { sizeBytes: 8 * MiB } }]);
});

/** A Volume in a thin pool, of so many MiB, of which its guests have been told of so many. */
function withThin(
  isMiB: number,
  toldMiB = isMiB,
  store: Parameters<typeof hostWith>[0] = {},
  thinIs: Partial<ThinState> = {},
) {
  const host = hostWith(store, { volumes: [kept('data', { sizeBytes: isMiB * MiB })] });
  const state = { pool, unfit: null, grainBytes: 4 * MiB, toldBytes: toldMiB * MiB, ...thinIs };
  const read: HostView['volumes']['read'] = async (...asked) => {
    const seen = await host.volumes.read(...asked);
    return seen.status === 'present' ? { ...seen, value: { ...seen.value, thin: state } } : seen;
  };
  return { ...host, volumes: { ...host.volumes, read } };
}

test.each([5, 8])('one of 8 MiB is as it is to be if %i MiB were asked for', async (asked) => {
  const host = withThin(8);
  expect(await planned(host, volume('data', { sizeBytes: asked * MiB }))).toEqual({
    operations: [],
    blocks: [],
  });
});

test.each([4, 32])('one is of whole extents of where it is, not of %i MiB', async (grainMiB) => {
  const host = withThin(8, 8, { grainBytes: grainMiB * MiB });
  expect(await planned(host, volume('data', { sizeBytes: 5 * MiB }))).toEqual({
    operations: [],
    blocks: [],
  });
});

test('one that its guests know as smaller is grown to what it is, and never less', async () => {
  const { operations } = await planned(withThin(16, 8), volume('data', { sizeBytes: 16 * MiB }));
  expect(operations).toMatchObject([{ kind: 'volume.grow', sizeBytes: 16 * MiB }]);
  const { blocks } = await planned(withThin(16, 8), volume('data', { sizeBytes: 8 * MiB }));
  expect(blocks).toMatchObject([['data', 'ShrinkRefused', expect.any(String)]]);
});

test('one that is a file is what it was, and grows whatever the pool has', async () => {
  const host = hostWith({}, { volumes: [kept('data', { sizeBytes: 5 * MiB })] });
  const same = await planned(host, volume('data', { sizeBytes: 5 * MiB }));
  expect(same).toEqual({ operations: [], blocks: [] });
  for (const store of [{}, { freeBytes: 0 }, { refusal: 'full' }, new Error('no group')]) {
    const any = hostWith(store, { volumes: [kept('data', { sizeBytes: 5 * MiB })] });
    const { operations } = await planned(any, volume('data', { sizeBytes: 6 * MiB }));
    expect(operations).toMatchObject([{ kind: 'volume.grow', sizeBytes: 6 * MiB }]);
  }
});

test('one that may not be given to anybody waits, and can go', async () => {
  const host = withThin(8, 8, {}, { unfit: 'no rule for udev' });
  const data = volume('data', { sizeBytes: 16 * MiB });
  expect((await planned(host, data)).blocks).toMatchObject([
    ['data', 'HostUnknown', 'no rule for udev'],
  ]);
  const gone = withThin(8, 8, {}, { unfit: 'no rule for udev' });
  const read: HostView['volumes']['read'] = async (...asked) => {
    const seen = await gone.volumes.read(...asked);
    if (seen.status !== 'present') return seen;
    return { ...seen, value: { ...seen.value, deletionPolicy: 'Delete' } };
  };
  const { operations } = await planned({ ...gone, volumes: { ...gone.volumes, read } });
  expect(operations).toMatchObject([{ kind: 'volume.delete' }]);
});

test('one does not shrink by less than that either', async () => {
  const host = hostWith({}, { volumes: [kept('data', { sizeBytes: 8 * MiB })] });
  const { blocks } = await planned(host, volume('data', { sizeBytes: 4 * MiB }));
  expect(blocks).toMatchObject([['data', 'ShrinkRefused', expect.any(String)]]);
});

describe('what the store does not keep', () => {
  test('is no qcow2, and none that lies on an Image', async () => {
    const base = imageOf('base', { format: 'raw' });
    const origin = {
      image: base.name,
      digest: base.digest,
      format: 'raw',
      provision: 'Overlay',
    } as const;
    const host = hostWith({}, { images: [base] });
    const { entries } = await planPass(
      host,
      desiredWith({
        images: [image('base', { digest: base.digest })],
        volumes: [
          volume('blank', { format: 'qcow2' }),
          volume('lies', { format: 'qcow2', origin }),
          volume('copy', { origin: { ...origin, provision: 'Copy' } }),
        ],
      }),
    );
    const codes = entries.flatMap((each) =>
      each.kind === 'blocked' ? [[each.resource.name, each.block.code]] : [],
    );
    expect(codes).toEqual([
      ['blank', 'FormatNotKept'],
      ['lies', 'FormatNotKept'],
    ]);
  });

  test('is a qcow2 that is there already as it was', async () => {
    const host = hostWith({}, { volumes: [kept('data', { format: 'qcow2' })] });
    const there = volume('data', { format: 'qcow2' });
    const again = volume('again', { format: 'qcow2', copyOf: 'data' as VolumeName });
    const { operations, blocks } = await planned(host, there, again);
    expect(blocks).toEqual([]);
    expect(operations).toMatchObject([{ kind: 'volume.create', volume: { name: 'again' } }]);
  });
});

describe('a store that is full', () => {
  test('gets nothing new, and what is there does not grow', async () => {
    const host = withThin(64, 64, { freeBytes: 4 * MiB });
    const message = "the host's thin pool has no room for it: it takes";
    const fits = volume('fits', { sizeBytes: 3 * MiB });
    const { blocks, operations } = await planned(
      host,
      volume('data', { sizeBytes: 72 * MiB }),
      volume('new', { sizeBytes: 5 * MiB }),
      fits,
    );
    // Not how much is left: that is what others have.
    expect(blocks).toEqual([
      ['data', 'StoreFull', `${message} 8MiB more`],
      ['new', 'StoreFull', `${message} 8MiB more`],
    ]);
    expect(operations.map(({ id }) => id)).toEqual(['volume.create/fits']);
  });

  test('keeps no room for what is not made', async () => {
    const waits = volume('a', { sizeBytes: 4 * MiB, copyOf: 'nosuch' as VolumeName });
    const two = [waits, volume('b', { sizeBytes: 4 * MiB })];
    const { blocks, operations } = await planned(hostWith({ freeBytes: 4 * MiB }), ...two);
    expect(blocks.map(([name]) => name)).toEqual(['a']);
    expect(operations.map(({ id }) => id)).toEqual(['volume.create/b']);
  });

  test('has for what is half made what that takes already', async () => {
    const made = { state: 'creating', sizeBytes: 8 * MiB, deletionPolicy: 'Delete' } as const;
    const host = hostWith({ freeBytes: 2 * MiB }, { volumes: [kept('data', made)] });
    const thinIs = { pool, unfit: null, grainBytes: 1, toldBytes: 8 * MiB };
    const read: HostView['volumes']['read'] = async (...asked) => {
      const seen = await host.volumes.read(...asked);
      return seen.status === 'present' ? { ...seen, value: { ...seen.value, thin: thinIs } } : seen;
    };
    const wanted = volume('data', { sizeBytes: 8 * MiB });
    const { blocks, operations } = await planned(
      { ...host, volumes: { ...host.volumes, read } },
      wanted,
    );
    expect(blocks).toEqual([]);
    expect(operations).toMatchObject([{ kind: 'volume.create' }]);
  });

  test('has none for a copy, and so none for what begins as it', async () => {
    const data = volume('data', { sizeBytes: 8 * MiB });
    const backup = volume('backup', { sizeBytes: 8 * MiB, copyOf: data.name });
    const { blocks, operations } = await planned(hostWith({ freeBytes: 8 * MiB }), data, backup);
    expect(blocks.map(([name, code]) => [name, code])).toEqual([['backup', 'StoreFull']]);
    expect(operations.map(({ id }) => id)).toEqual(['volume.create/data']);
    const none = await planned(hostWith({ freeBytes: 0 }), data, backup);
    expect(none.operations).toEqual([]);
    expect(none.blocks.map(([name]) => name)).toEqual(['backup', 'data']);
    const qcow2 = { format: 'qcow2' } as const;
    const unkept = await planned(hostWith({}), { ...data, ...qcow2 }, { ...backup, ...qcow2 });
    expect(unkept.operations).toEqual([]);
  });

  test('keeps none for what the partition has no room for', async () => {
    const large = volume('a', { sizeBytes: 12 * MiB });
    const small = volume('b', { sizeBytes: 4 * MiB });
    const wanted = desiredWith({
      volumes: [large, small],
      share: shareWithStorage(8 * MiB),
    });
    const { operations, entries } = await planPass(hostWith({ freeBytes: 12 * MiB }), wanted, true);
    expect(operations.map(({ id }) => id)).toContain('volume.create/b');
    expect(entries).toMatchObject([{ block: { code: 'OverBudget' } }, {}]);
  });

  test('is not the one that is another pool', async () => {
    const elsewhere = withThin(8, 8, { freeBytes: 0 }, { pool: 'vg/before' });
    const { operations } = await planned(elsewhere, volume('data', { sizeBytes: 16 * MiB }));
    expect(operations).toMatchObject([{ kind: 'volume.grow', sizeBytes: 16 * MiB }]);
    const copy = volume('copy', { sizeBytes: 8 * MiB, copyOf: 'data' as VolumeName });
    const before = withThin(8, 8, {}, { pool: 'vg/before' });
    const { blocks } = await planned(before, volume('data', { sizeBytes: 8 * MiB }), copy);
    expect(blocks).toMatchObject([['copy', 'FormatNotKept', expect.stringContaining('vg/before')]]);
  });

  test('has for one what the one before it has left', async () => {
    const two = ['one', 'two'].map((name) => volume(name, { sizeBytes: 4 * MiB }));
    const { blocks, operations } = await planned(hostWith({ freeBytes: 4 * MiB }), ...two);
    expect(operations.map(({ id }) => id)).toEqual(['volume.create/one']);
    expect(blocks.map(([name, code]) => [name, code])).toEqual([['two', 'StoreFull']]);
  });

  test('says what is the matter with it, and whoever needs the Volume waits', async () => {
    const host = hostWith({ refusal: 'the map of thin pool vg/thin is 90 % full' });
    const data = volume('data');
    const use = { volume: data.name, format: 'raw', backing: null } as const;
    const wanted = desiredWith({
      volumes: [data],
      secondaries: [secondary('db', { disks: [use] })],
    });
    const { entries, operations } = await planPass(host, wanted);
    expect(operations).toEqual([]);
    expect(entries).toMatchObject([
      { block: { code: 'StoreFull', message: 'the map of thin pool vg/thin is 90 % full' } },
      { block: { code: 'PartBlocked' } },
    ]);
  });

  test('keeps nobody from deleting, or from what needs no room', async () => {
    const gone = kept('gone', { deletionPolicy: 'Delete' });
    const host = hostWith({ refusal: 'full', freeBytes: 0 }, { volumes: [gone, kept('data')] });
    const { operations, blocks } = await planned(
      host,
      volume('data', { deletionPolicy: 'Delete' }),
    );
    expect(blocks).toEqual([]);
    expect(operations.map(({ kind }) => kind)).toEqual([
      'volume.set-deletion-policy',
      'volume.delete',
    ]);
  });
});

test('one that cannot be looked at gets nothing new, and takes nothing away', async () => {
  const host = hostWith(new HostError('Timeout', 'reading volume group vg'), {
    volumes: [kept('data')],
  });
  const { operations, blocks } = await planned(host, volume('data'), volume('new'));
  expect(operations).toEqual([]);
  expect(blocks).toMatchObject([['new', 'HostUnknown', expect.stringContaining('vg')]]);
});
