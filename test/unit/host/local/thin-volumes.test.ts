/** Volumes in a thin pool: what is refused, what stays, and that a crash at any step leaves nothing behind. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import { diskCare } from '../../../../src/host/local/disk-places.ts';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import type { VolumeRecord } from '../../../../src/host/local/record.ts';
import { poolFor } from '../../../../src/host/local/thin-making.ts';
import { localVolumes } from '../../../../src/host/local/volumes.ts';
import type { VolumeName } from '../../../../src/model/names.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { MEMORY_POOL, memoryLvm, type Spoil } from '../../../support/memory-lvm.ts';
import { installation, partition } from '../../../support/passes.ts';

const MiB = 2 ** 20;
const never = new AbortController().signal;
const us = { installation, partition };
const name = 'data' as VolumeName;
const own = `unnest.${partition}.data`;
const quiet = { requireRule: async () => undefined, requireQuiet: async () => undefined };

function place(poolBytes?: number) {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-thin-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const lvm = memoryLvm(poolBytes);
  const { volumesDir } = storeLayout(dir, partition);
  const volumes = localVolumes(dir, { thinPool: MEMORY_POOL, lvm, udev: quiet });
  const volume = (more: Partial<Volume> = {}): Volume => {
    const common = { sizeBytes: 8 * MiB, format: 'raw', origin: null, copyOf: null } as const;
    return { name, deletionPolicy: 'Retain', ...common, ...more };
  };
  return {
    dir,
    lvm,
    volumesDir,
    volumes,
    volume,
    care: diskCare(dir, partition, MEMORY_POOL, { lvm, udev: quiet }),
    create: (more: Partial<Volume> = {}) => volumes.create(us, volume(more), never),
    look: async (of = name) => {
      const seen = await volumes.read(partition, of, never);
      return seen.status === 'present' ? seen.value : seen;
    },
    record: () => JSON.parse(readFileSync(join(volumesDir, name, 'record.json'), 'utf8')) as object,
    folders: () => readdirSync(volumesDir, { recursive: true }),
    ours: () => [...lvm.volumes.keys()].filter((each) => each.startsWith('unnest.')),
  };
}

const codeOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof HostError ? error.code : error;
};

describe('a Volume in a thin pool', () => {
  test('is a logical volume, of whole extents, with a tag of ours', async () => {
    const { create, look, lvm, record } = place();
    await create({ sizeBytes: 9 * MiB });
    expect(await look()).toMatchObject({ sizeBytes: 12 * MiB, state: 'ready', owner: us });
    expect(lvm.volumes.get(own)).toMatchObject({
      sizeBytes: 12 * MiB,
      tags: [`unnest.owner=${installation}/${partition}/data`],
    });
    expect(record()).toMatchObject({ thin: { ...MEMORY_POOL, sizeBytes: 12 * MiB } });
  });

  test('is refused where the pool could not hold all that is in it', async () => {
    const { create, look, lvm } = place(12 * MiB);
    expect(await codeOf(create({ sizeBytes: 16 * MiB }))).toBe('Refused');
    await create();
    const other = create({ name: 'other' as VolumeName });
    expect(await codeOf(other)).toBe('Refused');
    expect([...lvm.volumes.keys()]).toEqual(['thin', own]);
    expect(await look()).toMatchObject({ state: 'ready' });
  });

  test('is taken away again where somebody else was faster', async () => {
    const { create, lvm, ours, look } = place(12 * MiB);
    lvm.spoil = (verb) => {
      if (verb === 'lvcreate') {
        const pool = lvm.volumes.get('thin')!;
        const theirs = { ...pool, name: 'theirs', isThinPool: false, pool: 'thin' };
        lvm.volumes.set('theirs', { ...theirs, sizeBytes: 8 * MiB });
      }
      return null;
    };
    expect(await codeOf(create())).toBe('Refused');
    expect(ours()).toEqual([]);
    expect(await look()).toEqual({ status: 'absent' });
  });

  test('that has something in it from the start is none', async () => {
    const { create, lvm, ours, look } = place();
    lvm.madePercent = 0.01;
    expect(await codeOf(create())).toBe('Refused');
    expect(ours()).toEqual([]);
    expect(await look()).toEqual({ status: 'absent' });
  });

  test('that udev looks into is none', async () => {
    const { dir, lvm, volume, ours, look } = place();
    const refuse = async () => {
      throw new HostError('Unsupported', 'udev');
    };
    for (const udev of [
      { ...quiet, requireRule: refuse },
      { ...quiet, requireQuiet: refuse },
    ]) {
      const volumes = localVolumes(dir, { thinPool: MEMORY_POOL, lvm, udev });
      expect(await codeOf(volumes.create(us, volume(), never))).toBe('Unsupported');
      expect(ours()).toEqual([]);
      expect(await look()).toEqual({ status: 'absent' });
    }
  });

  test('is neither made over, grown nor removed where it has no tag of ours', async () => {
    const { create, volumes, lvm, look } = place();
    await create();
    const theirs = { ...lvm.volumes.get(own)!, tags: ['unnest.owner=another'] };
    lvm.volumes.set(own, theirs);
    expect(await look()).toMatchObject({ status: 'unknown' });
    expect(await codeOf(volumes.grow(us, name, 16 * MiB, never))).toBe('Conflict');
    expect(await codeOf(volumes.delete(us, name, never))).toBe('Conflict');
    expect(lvm.volumes.get(own)).toBe(theirs);
  });

  test('whose name is taken by somebody is none, and nothing is left of it', async () => {
    const { create, lvm, look, volumes, ours } = place();
    const theirs = { ...lvm.volumes.get('thin')!, name: own, isThinPool: false, pool: 'thin' };
    lvm.volumes.set(own, { ...theirs, sizeBytes: 8 * MiB });
    expect(await look()).toMatchObject({ owner: null });
    expect(await volumes.list(partition, never)).toEqual([name]);
    expect(await codeOf(create())).toBe('Conflict');
    expect(await codeOf(volumes.delete(us, name, never))).toBe('Conflict');
    expect(await look()).toMatchObject({ owner: null });
    expect(ours()).toEqual([own]);
  });

  test('whose logical volume is gone, or smaller, is unknown', async () => {
    const { create, lvm, look } = place();
    await create();
    const there = lvm.volumes.get(own)!;
    lvm.volumes.set(own, { ...there, sizeBytes: 4 * MiB });
    expect(await look()).toMatchObject({ status: 'unknown' });
    lvm.volumes.delete(own);
    expect(await look()).toMatchObject({ status: 'unknown' });
  });

  test('is unknown where the configuration names no thin pool, and stays', async () => {
    const { dir, create, ours } = place();
    await create();
    const without = localVolumes(dir);
    expect(await without.list(partition, never)).toEqual([name]);
    expect(await without.read(partition, name, never)).toMatchObject({ status: 'unknown' });
    expect(ours()).toEqual([own]);
  });

  test('that was a file stays one, and a copy of it is put where new ones are', async () => {
    const { dir, volume, look, ours } = place();
    await localVolumes(dir).create(us, volume(), never);
    expect(await look()).toMatchObject({ state: 'ready', sizeBytes: 8 * MiB });
    expect(await look()).not.toHaveProperty('thin');
    expect(ours()).toEqual([]);
    const source = { thin: undefined } as unknown as VolumeRecord;
    const copy = volume({ name: 'copy' as VolumeName, copyOf: name });
    expect(poolFor(copy, source, MEMORY_POOL)).toBe(MEMORY_POOL);
    expect(poolFor({ ...copy, format: 'qcow2' }, source, MEMORY_POOL)).toBeNull();
    expect(() => poolFor({ ...copy, format: 'qcow2' }, null, MEMORY_POOL)).toThrow(/raw disks/);
    const inPool = { thin: MEMORY_POOL } as unknown as VolumeRecord;
    expect(() => poolFor(copy, inPool, null)).toThrow(/none is used/);
  });

  test('that is a file is there, whatever LVM says', async () => {
    const { dir, lvm, volume, volumes, create, look } = place();
    await localVolumes(dir).create(us, volume(), never);
    const other = 'other' as VolumeName;
    await create({ name: other });
    lvm.report = async () => Promise.reject(new HostError('Timeout', 'running lvs'));
    expect(await volumes.list(partition, never)).toEqual([name, other]);
    expect(await look()).toMatchObject({ state: 'ready' });
    for (const of of [other, 'new' as VolumeName]) {
      expect(await look(of)).toMatchObject({ status: 'unknown' });
    }
    expect(await codeOf(volumes.store(never))).toBe('Refused');
    // It is not asked by each of all partitions for as long.
    let asked = 0;
    lvm.report = async () => {
      asked += 1;
      throw new HostError('Timeout', 'running lvs');
    };
    const others = localVolumes(dir, { thinPool: MEMORY_POOL, lvm, udev: quiet });
    expect(await others.read(partition, other, never)).toMatchObject({ status: 'unknown' });
    expect(asked).toBe(0);
  });

  test('stays as long as somebody else has made something of it', async () => {
    const { create, volumes, lvm, ours } = place();
    await create();
    lvm.volumes.set(own, { ...lvm.volumes.get(own)!, isOrigin: true });
    expect(await codeOf(volumes.delete(us, name, never))).toBe('Conflict');
    expect(ours()).toEqual([own]);
  });

  test('is one of as many as there is room for, when several are made at once', async () => {
    const { create, ours } = place(20 * MiB);
    const names = ['a', 'b', 'c', 'd'] as VolumeName[];
    const codes = await Promise.all(names.map((each) => codeOf(create({ name: each }))));
    expect(codes.filter((code) => code === null)).toHaveLength(2);
    expect(ours()).toHaveLength(2);
  });

  test('is copied by as many as there is room for, when several are made at once', async () => {
    const { create, ours } = place(20 * MiB);
    await create();
    const names = ['a', 'b', 'c'] as VolumeName[];
    const copies = names.map((each) => codeOf(create({ name: each, copyOf: name })));
    expect((await Promise.all(copies)).filter((code) => code === null)).toHaveLength(1);
    expect(ours()).toHaveLength(2);
  });

  test('grows by as much as there is room for, when several do at once', async () => {
    const { create, volumes, lvm } = place(20 * MiB);
    const names = ['a', 'b'] as VolumeName[];
    for (const each of names) await create({ name: each });
    const codes = names.map((each) => codeOf(volumes.grow(us, each, 12 * MiB, never)));
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['Refused', null]));
    const sizes = names.map((each) => lvm.volumes.get(`unnest.${partition}.${each}`)?.sizeBytes);
    expect(new Set(sizes)).toEqual(new Set([8 * MiB, 12 * MiB]));
  });

  test.each(['the rule for udev is not there', 'the pool does not zero'])(
    'is given to nobody, which is said, where %s',
    async (why) => {
      const { dir, create, lvm } = place();
      await create();
      const pool = lvm.volumes.get('thin')!;
      const zeroes = why.includes('zero');
      const refuse = async () => {
        throw new HostError('Unsupported', why);
      };
      if (zeroes) lvm.volumes.set('thin', { ...pool, isZeroing: false });
      const udev = { ...quiet, requireRule: zeroes ? quiet.requireRule : refuse };
      const tools = { lvm, udev };
      const volumes = localVolumes(dir, { thinPool: MEMORY_POOL, ...tools });
      const unfit = expect.stringContaining(zeroes ? 'does not zero' : why) as string;
      expect(await volumes.read(partition, name, never)).toMatchObject({
        value: { sizeBytes: 8 * MiB, thin: { unfit } },
      });
      expect(await volumes.store(never)).toMatchObject({ refusal: expect.any(String) as string });
      const care = diskCare(dir, partition, MEMORY_POOL, tools);
      const code = zeroes ? 'Refused' : 'Unsupported';
      expect(await codeOf(care.provide([name], never))).toBe(code);
      if (zeroes) return;
      // Udev is told of what becomes larger, too.
      const told = vi.fn<() => Promise<void>>();
      expect(await codeOf(care.grow(name, 16 * MiB, told, never))).toBe(code);
      expect(told).not.toHaveBeenCalled();
      expect(lvm.volumes.get(own)).toMatchObject({ sizeBytes: 8 * MiB });
    },
  );

  test('is copied while nobody has it open', async () => {
    const { create, lvm, look, ours } = place();
    await create();
    lvm.open.add(own);
    const copy = { name: 'copy' as VolumeName, copyOf: name, sizeBytes: 12 * MiB };
    expect(await codeOf(create(copy))).toBe('Refused');
    expect(await look(copy.name)).toEqual({ status: 'absent' });
    lvm.open.clear();
    await create(copy);
    expect(await look(copy.name)).toMatchObject({ state: 'ready', sizeBytes: 12 * MiB });
    expect(ours()).toEqual([own, `unnest.${partition}.copy`]);
  });
});

describe('its guest', () => {
  test('gets it active', async () => {
    const { create, care, lvm } = place();
    await create();
    lvm.volumes.set(own, { ...lvm.volumes.get(own)!, isActive: false });
    await care.provide([name], never);
    expect(lvm.volumes.get(own)).toMatchObject({ isActive: true });
    const before = lvm.done.length;
    await care.provide([name], never);
    expect(lvm.done.length).toBe(before);
  });

  test('does not get it where udev has looked, and can once udev has begun anew', async () => {
    const { dir, create, lvm } = place();
    await create();
    let isQuiet = false;
    const requireQuiet = async () => {
      if (!isQuiet) throw new HostError('Unsupported', 'udev');
    };
    const udev = { ...quiet, requireQuiet };
    const care = diskCare(dir, partition, MEMORY_POOL, { lvm, udev });
    expect(await codeOf(care.provide([name], never))).toBe('Unsupported');
    expect(lvm.volumes.get(own)).toMatchObject({ isActive: false });
    isQuiet = true;
    await care.provide([name], never);
    expect(lvm.volumes.get(own)).toMatchObject({ isActive: true });
  });

  test('gets what udev has looked at before its rule was there, once that has appeared anew', async () => {
    const { dir, create, lvm } = place();
    await create();
    const requireQuiet = async () => {
      if (lvm.done.includes('lvchange')) return;
      throw new HostError('Refused', 'udev');
    };
    const care = diskCare(dir, partition, MEMORY_POOL, { lvm, udev: { ...quiet, requireQuiet } });
    await care.provide([name], never);
    expect(lvm.volumes.get(own)).toMatchObject({ isActive: true });
    expect(lvm.done.filter((verb) => verb === 'lvchange')).toHaveLength(2);
  });

  test('is told later where it could not be told, and what is there counts at once', async () => {
    const { create, care, look, lvm } = place();
    await create();
    const untold = care.grow(name, 16 * MiB, () => Promise.reject(new Error('crash')), never);
    await expect(untold).rejects.toThrow('crash');
    expect(lvm.volumes.get(own)).toMatchObject({ sizeBytes: 16 * MiB });
    expect(await look()).toMatchObject({
      sizeBytes: 16 * MiB,
      thin: { pool: 'vg/thin', unfit: null, grainBytes: 4 * MiB, toldBytes: 8 * MiB },
    });
    // Nobody was asked for that much.
    const less = care.grow(name, 12 * MiB, () => Promise.resolve(), never);
    expect(await codeOf(less)).toBe('Conflict');
    // Nor is it a copy that is smaller.
    const copy = create({ name: 'copy' as VolumeName, copyOf: name, sizeBytes: 8 * MiB });
    expect(await codeOf(copy)).toBe('Refused');
    const told: number[] = [];
    await care.grow(name, 16 * MiB, async (bytes) => void told.push(bytes), never);
    expect(told).toEqual([16 * MiB]);
    expect(await look()).toMatchObject({ sizeBytes: 16 * MiB, thin: { toldBytes: 16 * MiB } });
  });

  test('is defined with it where it is, and not at all where that cannot be known', async () => {
    const { create, care, volumesDir } = place();
    await create();
    const other = 'other' as VolumeName;
    const { layout, unknown } = await care.located([name, other]);
    expect(unknown.size).toBe(0);
    expect(layout.volumeDevice(other, 'raw')).toBe(`/dev/vg/unnest.${partition}.other`);
    expect(layout.volumeDevice(name, 'raw')).toBe(`/dev/vg/${own}`);
    // One that is to be a qcow2 is a file, which is copied of one.
    expect(layout.volumeDevice(other, 'qcow2')).toBeNull();
    // What a crash has left half made of a file is made anew where new ones are.
    const record = join(volumesDir, name, 'record.json');
    const { thin: _, ...ofFile } = JSON.parse(readFileSync(record, 'utf8')) as Record<
      string,
      unknown
    >;
    writeFileSync(record, JSON.stringify({ ...ofFile, state: 'creating' }));
    expect((await care.located([name])).layout.volumeDevice(name, 'raw')).toBe(`/dev/vg/${own}`);
    writeFileSync(record, 'torn');
    expect([...(await care.located([name, other])).unknown.keys()]).toEqual([name]);
  });
});

describe('a crash at any step of LVM', () => {
  const steps = [1, 2, 3, 4].flatMap((at) =>
    (['before', 'after'] as const).map((how) => [at, how]),
  );
  const at =
    (step: number, how: 'before' | 'after'): Spoil =>
    (_verb, count) =>
      count >= step ? how : null;

  test.each(steps as [number, 'before' | 'after'][])(
    'of making one, the %ith, %s: it is made, or all of it is gone',
    async (step, how) => {
      const { create, volumes, look, lvm, ours, folders } = place();
      lvm.spoil = at(step, how);
      await create().catch(() => undefined);
      await volumes.delete(us, name, never).catch(() => undefined);
      lvm.spoil = () => null;
      const seen = await look();
      if ('state' in seen && seen.state !== 'deleting') await create().catch(() => undefined);
      else {
        await volumes.delete(us, name, never);
        await create();
      }
      expect(await look()).toMatchObject({ state: 'ready', sizeBytes: 8 * MiB });
      expect(ours()).toEqual([own]);
      await volumes.delete(us, name, never);
      expect(ours()).toEqual([]);
      expect(folders()).toEqual([]);
    },
  );

  test.each(steps as [number, 'before' | 'after'][])(
    'of making a copy, the %ith, %s: what it is made of stays',
    async (step, how) => {
      const { create, volumes, look, lvm, ours } = place();
      await create();
      const copy = { name: 'copy' as VolumeName, copyOf: name, sizeBytes: 12 * MiB };
      lvm.spoil = at(step + 1, how);
      await create(copy).catch(() => undefined);
      lvm.spoil = () => null;
      expect(await look()).toMatchObject({ state: 'ready' });
      if (!('state' in (await look(copy.name)))) await create(copy);
      else if ((await look(copy.name)) !== null) await create(copy).catch(() => undefined);
      expect(await look(copy.name)).toMatchObject({ state: 'ready', sizeBytes: 12 * MiB });
      await volumes.delete(us, name, never);
      await volumes.delete(us, copy.name, never);
      expect(ours()).toEqual([]);
    },
  );
});
