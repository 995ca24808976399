import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImageName, VolumeName } from '../../../../src/model/names.ts';
import type { DiskFormat, Image, Provision, StoredState } from '../../../../src/model/volume.ts';
import { fileOf, partition } from '../../../support/passes.ts';
import {
  localStoreForTests,
  type LocalStoreForTests,
  MiB,
  never,
  us,
} from '../../../support/local-store.ts';

let store: LocalStoreForTests;
beforeEach(() => {
  store = localStoreForTests();
});
afterEach(() => store.dispose());

const name = 'data' as VolumeName;
const remove = () => store.volumes.delete(us, name, never);
const disk = (format: 'raw' | 'qcow2' = 'raw') => store.layout.volumeDisk(name, format);
const from = ({ name: image, digest, format }: Image, provision: Provision) => ({
  origin: { image, digest, format: format as DiskFormat, provision },
});
const record = (overrides: object = {}) =>
  JSON.stringify({
    formatVersion: 1,
    kind: 'volume',
    ...us,
    name,
    state: 'ready',
    format: 'raw',
    deletionPolicy: 'Retain',
    origin: null,
    ...overrides,
  });
const put = (file: string, content: string) => {
  mkdirSync(store.folder, { recursive: true });
  writeFileSync(join(store.folder, file), content);
};
const info = (path: string) =>
  JSON.parse(execFileSync('qemu-img', ['info', '--output=json', path], { encoding: 'utf8' }));

describe('a new Volume', () => {
  test.each(['raw', 'qcow2'] as const)(
    'that is %s takes no room, and is open to nobody else whatever the umask',
    async (format) => {
      const before = process.umask(0);
      try {
        await store.create({ format });
      } finally {
        process.umask(before);
      }
      const stats = statSync(disk(format));
      expect(stats.mode & 0o777).toBe(0o600);
      expect(stats.blocks * 512).toBeLessThan(MiB);
      expect(info(disk(format))).toMatchObject({ format, 'virtual-size': 4 * MiB });
      expect(store.filesIn(store.folder)).toEqual([`disk.${format}`, 'record.json']);
    },
  );

  test('can be reached by QEMU, also under a strict umask', async () => {
    const before = process.umask(0o777);
    try {
      await store.create({ format: 'qcow2' });
    } finally {
      process.umask(before);
    }
    expect(statSync(disk('qcow2')).mode & 0o777).toBe(0o600);
    for (const path of [store.layout.volumesDir, store.folder]) {
      expect(statSync(path).mode & 0o777).toBe(0o755);
    }
  });

  test('that is larger than its format can be is refused and leaves nothing', async () => {
    const call = store.create({ sizeBytes: Number.MAX_SAFE_INTEGER, format: 'qcow2' });
    await expect(call).rejects.toMatchObject({ code: 'Refused', name: 'HostError' });
    expect(store.filesIn(store.folder)).toBeNull();
  });
});

describe('a Volume that begins with the data of another', () => {
  const copy = 'monday' as VolumeName;
  const written = () => {
    const file = openSync(disk(), 'r+');
    writeSync(file, 'in the middle', 700_000);
    closeSync(file);
  };

  test('has its bytes and room behind them, no more blocks than needed, and leaves it as it is', async () => {
    await store.create();
    written();
    const before = readFileSync(disk());
    await store.create({ name: copy, copyOf: name, sizeBytes: 6 * MiB });
    const path = store.layout.volumeDisk(copy, 'raw');
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(6 * MiB);
    expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).blocks * 512).toBeLessThan(MiB);
    expect(readFileSync(disk()).equals(before)).toBe(true);
    const file = openSync(path, 'r+');
    writeSync(file, 'elsewhere', 0);
    closeSync(file);
    expect(readFileSync(disk()).equals(before)).toBe(true);
  });

  test('says so in its record, and no other Volume does, which an older version would not read', async () => {
    await store.create();
    await store.create({ name: copy, copyOf: name });
    const recordOf = (each: VolumeName) =>
      JSON.parse(readFileSync(join(store.layout.volumesDir, each, 'record.json'), 'utf8'));
    expect(recordOf(copy)).toMatchObject({ copyOf: name });
    expect(recordOf(name)).not.toHaveProperty('copyOf');
  });
});

describe('a Volume that begins as an Image', () => {
  const base = async (format: 'raw' | 'qcow2' = 'raw') => {
    const raw = Buffer.alloc(MiB);
    raw.write('in the middle', 700_000);
    const made = store.image(format === 'raw' ? raw : store.qcow2(), { format });
    await store.images.import(us, made, never);
    return made;
  };

  test('as a copy has its bytes, and room behind them', async () => {
    await store.create(from(await base(), 'Copy'));
    const bytes = readFileSync(disk());
    expect(bytes.length).toBe(4 * MiB);
    expect(bytes.toString('latin1', 700_000, 700_013)).toBe('in the middle');
    expect(statSync(disk()).mode & 0o777).toBe(0o600);
    expect(statSync(disk()).blocks * 512).toBeLessThan(MiB);
  });

  test('that an older version kept as it was supplied is one as before', async () => {
    const supplied = store.qcow2('-o', 'compat=0.10,cluster_size=4k');
    const made = store.image(supplied, { format: 'qcow2' });
    const { digest } = made;
    mkdirSync(store.imageFolder, { recursive: true });
    writeFileSync(store.layout.imageFile(made.name, 'qcow2'), supplied, { mode: 0o444 });
    const facts = { formatVersion: 1, kind: 'image', ...us, name: 'base', state: 'ready' };
    const text = JSON.stringify({ ...facts, format: 'qcow2', digest });
    writeFileSync(join(store.imageFolder, 'record.json'), text);
    expect(await store.lookImage()).toMatchObject({
      status: 'present',
      value: { state: 'ready', digest, format: 'qcow2', sizeBytes: 8 * MiB },
    });
    for (const provision of ['Overlay', 'Copy'] as const) {
      const whole = { ...from(made, provision), format: 'qcow2', sizeBytes: 16 * MiB } as const;
      await store.create(whole);
      await store.volumes.grow(us, name, 32 * MiB, never);
      expect(await store.look()).toMatchObject({ value: { sizeBytes: 32 * MiB } });
      await store.volumes.delete(us, name, never);
    }
    expect(readFileSync(store.layout.imageFile(made.name, 'qcow2')).equals(supplied)).toBe(true);
  });

  test('as a copy of a qcow2 grows to its size', async () => {
    const made = { ...from(await base('qcow2'), 'Copy'), format: 'qcow2' } as const;
    await store.create({ ...made, sizeBytes: 16 * MiB });
    expect(info(disk('qcow2'))).toMatchObject({ format: 'qcow2', 'virtual-size': 16 * MiB });
    expect(statSync(disk('qcow2')).mode & 0o777).toBe(0o600);
  });

  test.each(['raw', 'qcow2'] as const)('as an overlay lies on a %s, said so', async (format) => {
    const made = await base(format);
    await store.create({ ...from(made, 'Overlay'), format: 'qcow2', sizeBytes: 16 * MiB });
    expect(info(disk('qcow2'))).toMatchObject({
      'virtual-size': 16 * MiB,
      'backing-filename': store.layout.imageFile(made.name, format),
      'backing-filename-format': format,
    });
    await store.volumes.grow(us, name, 32 * MiB, never);
    expect(info(disk('qcow2'))).toMatchObject({ 'virtual-size': 32 * MiB });
  });

  test('says which Image it could not have', async () => {
    const made = await base();
    const call = store.create(from({ ...made, name: 'nosuch' as ImageName }, 'Copy'));
    await expect(call).rejects.toThrow(/image nosuch cannot be used/);
    const other = `sha256:${'0'.repeat(64)}`;
    const another = store.create(from({ ...made, digest: other }, 'Copy'));
    await expect(another).rejects.toThrow(`image base is ${made.digest}, not ${other}`);
    const third = { ...from({ ...made, format: 'qcow2' }, 'Copy'), format: 'qcow2' } as const;
    await expect(store.create(third)).rejects.toThrow('image base is raw, not qcow2');
  });

  test('keeps its Image for as long as it cannot be read', async () => {
    const made = await base();
    await store.create({ ...from(made, 'Overlay'), format: 'qcow2' });
    put('record.json', 'spoilt');
    const call = store.images.delete(us, made.name, never);
    await expect(call).rejects.toMatchObject({ code: 'Refused' });
    expect(await store.lookImage()).toMatchObject({ status: 'present' });
  });

  test('is not grown once its header names another file', async () => {
    const made = await base();
    await store.create({ ...from(made, 'Overlay'), format: 'qcow2' });
    const other = store.layout.file(fileOf(made));
    execFileSync('qemu-img', ['rebase', '-u', '-F', 'raw', '-b', other, disk('qcow2')]);
    const call = store.volumes.grow(us, name, 8 * MiB, never);
    await expect(call).rejects.toMatchObject({ code: 'Refused' });
    expect(await store.look()).toMatchObject({ value: { sizeBytes: 4 * MiB } });
  });
});

describe('what a crash leaves', () => {
  const creating = record({ state: 'creating' });
  const cut: readonly (readonly [string, () => void])[] = [
    ['an empty folder', () => mkdirSync(store.folder, { recursive: true })],
    ['half a record', () => put('record.json.new', creating.slice(0, 40))],
    ['no disk yet', () => put('record.json', creating)],
    [
      'half a disk',
      () => {
        put('record.json', creating);
        put('disk.raw', 'half');
      },
    ],
    [
      'a disk and half of its last record',
      () => {
        put('record.json', creating);
        put('disk.raw', '');
        truncateSync(disk(), 4 * MiB);
        put('record.json.new', record().slice(0, 40));
      },
    ],
    [
      'a disk that is qcow2 and was to be',
      () => {
        put('record.json', record({ state: 'creating', format: 'qcow2' }));
        put('disk.qcow2', 'half');
      },
    ],
  ];

  test.each(cut)('of making, %s, is made anew', async (_, prepare) => {
    prepare();
    const seen = await store.look();
    const is = seen.status === 'present' ? seen.value.state : seen.status;
    expect(['absent', 'creating']).toContain(is);
    await store.create();
    expect(await store.look()).toEqual({
      status: 'present',
      value: { ...store.volume(), owner: us, state: 'ready' },
    });
    expect(store.filesIn(store.folder)).toEqual(['disk.raw', 'record.json']);
    expect(readFileSync(disk()).equals(Buffer.alloc(4 * MiB))).toBe(true);
  });

  test.each(cut)('of making, %s, can be deleted', async (_, prepare) => {
    prepare();
    await remove();
    expect(store.filesIn(store.layout.volumesDir)).toEqual([]);
    expect(await store.look()).toEqual({ status: 'absent' });
  });

  const deleting = record({ state: 'deleting' });
  const half: readonly (readonly [string, StoredState | null, () => void])[] = [
    [
      'half a record',
      'ready',
      () => {
        put('record.json', record());
        put('disk.raw', 'data');
        put('record.json.new', deleting.slice(0, 40));
      },
    ],
    [
      'the disk',
      'deleting',
      () => {
        put('record.json', deleting);
        put('disk.raw', 'data');
      },
    ],
    ['only the record', 'deleting', () => put('record.json', deleting)],
    ['the folder', null, () => mkdirSync(store.folder, { recursive: true })],
  ];

  test.each(half)('of deleting, %s, is deleted', async (_, state, prepare) => {
    prepare();
    const seen = await store.look();
    expect(seen.status === 'present' ? seen.value.state : null).toBe(state);
    await remove();
    expect(store.filesIn(store.layout.volumesDir)).toEqual([]);
    await remove();
  });
});

test('a deletion that does not get far has begun all the same', async () => {
  await store.create();
  // Nothing of ours is a folder, so it cannot be unlinked.
  mkdirSync(disk('qcow2'));
  await expect(remove()).rejects.toMatchObject({ name: 'HostError' });
  expect(await store.look()).toMatchObject({ value: { state: 'deleting' } });
  rmSync(disk('qcow2'), { recursive: true });
  await remove();
  expect(store.filesIn(store.folder)).toBeNull();
});

describe('what is not ours, or not as it was', () => {
  const calls = () => [
    store.create(),
    store.volumes.grow(us, name, 8 * MiB, never),
    store.volumes.setDeletionPolicy(us, name, 'Delete', never),
    remove(),
  ];
  const refusals = async () =>
    (await Promise.allSettled(calls())).map((each) =>
      each.status === 'rejected' ? (each.reason as { code: string }).code : null,
    );

  test('a link in place of the folder is not followed', async () => {
    const elsewhere = join(store.dir, 'elsewhere');
    await store.create();
    execFileSync('mv', [store.folder, elsewhere]);
    symlinkSync(elsewhere, store.folder);
    expect(await store.look()).toMatchObject({ status: 'present', value: { owner: null } });
    expect(await refusals()).toEqual(Array(4).fill('Conflict'));
    expect(store.filesIn(elsewhere)).toEqual(['disk.raw', 'record.json']);
  });

  test('a file in place of the folder stays', async () => {
    mkdirSync(store.layout.volumesDir);
    writeFileSync(store.folder, 'of somebody');
    expect(await store.look()).toMatchObject({ value: { owner: null } });
    expect(await refusals()).toEqual(Array(4).fill('Conflict'));
    expect(readFileSync(store.folder, 'utf8')).toBe('of somebody');
  });

  test('a link in place of the record is not followed', async () => {
    await store.create();
    const elsewhere = join(store.dir, 'record.json');
    copyFileSync(join(store.folder, 'record.json'), elsewhere);
    rmSync(join(store.folder, 'record.json'));
    symlinkSync(elsewhere, join(store.folder, 'record.json'));
    expect(await store.look()).toMatchObject({ status: 'unknown' });
    expect(await refusals()).toEqual(Array(4).fill('Refused'));
    expect(lstatSync(disk()).isFile()).toBe(true);
  });

  test('a FIFO in place of the record or the disk holds nobody up', async () => {
    await store.create();
    rmSync(disk());
    execFileSync('mkfifo', [disk()]);
    expect(await store.look()).toMatchObject({ status: 'unknown' });
    rmSync(join(store.folder, 'record.json'));
    execFileSync('mkfifo', [join(store.folder, 'record.json')]);
    expect(await store.look()).toMatchObject({ status: 'unknown' });
    expect(await refusals()).toEqual(Array(4).fill('Refused'));
  });

  test.each([
    ['is no JSON', 'spoilt'],
    ['is of a later version', record({ formatVersion: 2 })],
    ['says more than it may', record({ more: true })],
    ['is that of another', record({ name: 'other' })],
    ['is that of an image', record({ kind: 'image' })],
    ['names a path', record({ origin: { image: '../x', digest: '', format: 'raw' } })],
    ['is endless', `${record()}${' '.repeat(70_000)}`],
  ])('a record that %s is left alone, and so is the disk', async (_, text) => {
    await store.create();
    put('record.json', text);
    expect(await store.look()).toMatchObject({ status: 'unknown', why: expect.any(String) });
    expect(await refusals()).toEqual(Array(4).fill('Refused'));
    expect(readFileSync(join(store.folder, 'record.json'), 'utf8')).toBe(text);
    expect(statSync(disk()).size).toBe(4 * MiB);
  });

  test.each(['raw', 'qcow2'] as const)(
    'a %s disk that is gone is not made anew',
    async (format) => {
      await store.create({ format });
      rmSync(disk(format));
      const why = expect.stringContaining('record is there');
      expect(await store.look()).toEqual({ status: 'unknown', why });
      await expect(store.create({ format })).rejects.toMatchObject({ code: 'Conflict' });
      expect(store.filesIn(store.folder)).toEqual(['record.json']);
    },
  );

  test('a disk that is a link is neither measured nor grown', async () => {
    await store.create();
    const elsewhere = join(store.dir, 'elsewhere');
    writeFileSync(elsewhere, 'of somebody');
    rmSync(disk());
    symlinkSync(elsewhere, disk());
    expect(await store.look()).toMatchObject({ status: 'unknown' });
    const call = store.volumes.grow(us, name, 8 * MiB, never);
    await expect(call).rejects.toMatchObject({ code: 'Refused' });
    await remove();
    expect(readFileSync(elsewhere, 'utf8')).toBe('of somebody');
  });

  test('a file of somebody beside the record stays, and so does all else', async () => {
    await store.create();
    put('notes.txt', 'mine');
    await expect(remove()).rejects.toMatchObject({ code: 'Refused' });
    expect(store.filesIn(store.folder)).toEqual(['disk.raw', 'notes.txt', 'record.json']);
    expect(await store.look()).toMatchObject({ value: { state: 'ready' } });
  });

  test('a name that is none of ours is not listed', async () => {
    await store.create();
    mkdirSync(join(store.layout.volumesDir, 'lost+found'));
    mkdirSync(join(store.layout.volumesDir, 'another'));
    expect(await store.volumes.list(partition, never)).toEqual(['another', 'data']);
  });

  test('what a guest wrote into a raw disk says nothing about it', async () => {
    await store.create();
    const guest = openSync(disk(), 'r+');
    writeSync(guest, store.qcow2(), 0, 4096, 0);
    closeSync(guest);
    expect(await store.look()).toMatchObject({ value: { sizeBytes: 4 * MiB, format: 'raw' } });
    await store.volumes.grow(us, name, 6 * MiB, never);
    expect(await store.look()).toMatchObject({ value: { sizeBytes: 6 * MiB, format: 'raw' } });
  });
});
