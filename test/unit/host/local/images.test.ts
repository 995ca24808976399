import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import { fileOf, fromFile } from '../../../support/passes.ts';
import type { Image } from '../../../../src/model/volume.ts';
import { digestOf } from '../../../support/digest.ts';
import { soundKernel } from '../../../support/hostile-kernels.ts';
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

const importing = (image: Image, signal = never) => store.images.import(us, image, signal);
const nothingLeft = () => store.filesIn(store.layout.imagesDir)?.length ?? 0;
const bytes = (): Buffer => {
  const made = Buffer.alloc(3 * MiB);
  made.write('near the end', 3 * MiB - 600);
  return made;
};

describe('an Image', () => {
  test('has bytes of its own that nobody writes, and everybody may read', async () => {
    const image = store.image(bytes());
    const before = process.umask(0o777);
    try {
      await importing(image);
    } finally {
      process.umask(before);
    }
    const path = store.layout.imageFile(image.name, 'raw');
    expect(readFileSync(path).equals(bytes())).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o444);
    expect(statSync(path).blocks * 512).toBeLessThan(2 * MiB);
    expect(store.filesIn(store.imageFolder)).toEqual(['disk.raw', 'record.json']);
  });

  test.each([[[]], [['-o', 'compat=0.10']], [['-o', 'cluster_size=512']]])(
    'can be a qcow2, made with %j',
    async (args) => {
      await importing(store.image(store.qcow2(...args), { format: 'qcow2' }));
      expect(await store.lookImage()).toMatchObject({ value: { sizeBytes: 8 * MiB } });
    },
  );

  test('that is not what its digest says is refused with both', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const image = store.image(bytes(), { digest });
    const why = `it is ${digestOf(bytes())}, and not ${digest}`;
    const message = `base.img cannot be used: ${why} (DigestMismatch)`;
    await expect(importing(image)).rejects.toMatchObject({ code: 'Refused', message });
    expect(nothingLeft()).toBe(0);
  });

  test('that is larger than it may be is refused by what its header says', async () => {
    const large = store.image(store.qcow2(), { format: 'qcow2', virtualBytesMax: 4 * MiB });
    await expect(importing(large)).rejects.toMatchObject({ code: 'Refused' });
    expect(nothingLeft()).toBe(0);
  });

  test.each([
    ['lies on another file', 'backing file', ['-b', 'BASE', '-F', 'raw']],
    ['keeps its data in another file', 'data file', ['-o', 'data_file=DATA']],
    [
      'is encrypted',
      'encrypted',
      ['--object', 'secret,id=s,data=x', '-o', 'encrypt.format=aes,encrypt.key-secret=s'],
    ],
    ['has extended L2 entries', 'extended L2', ['-o', 'extended_l2=on']],
  ])('that %s is refused', async (_, words, args) => {
    const base = join(store.dir, 'secret');
    writeFileSync(base, Buffer.alloc(MiB));
    const data = join(store.dir, 'data');
    const real = args.map((arg) => arg.replace('BASE', base).replace('DATA', data));
    const image = store.image(store.qcow2(...real), { format: 'qcow2' });
    await expect(importing(image)).rejects.toThrow(words);
    expect(nothingLeft()).toBe(0);
  });

  test('that has snapshots or bitmaps is refused', async () => {
    store.qcow2();
    const path = join(store.dir, 'made.qcow2');
    for (const args of [
      ['bitmap', '--add', path, 'b'],
      ['snapshot', '-c', 's', path],
    ]) {
      store.qcow2();
      execFileSync('qemu-img', args);
      const image = store.image(readFileSync(path), { format: 'qcow2' });
      await expect(importing(image)).rejects.toThrow(/bitmaps|snapshots/);
    }
    expect(nothingLeft()).toBe(0);
  });
});

describe('the file of an Image', () => {
  test.each<[string, (path: string) => unknown]>([
    ['a link', (path) => symlinkSync('/etc/passwd', path)],
    ['a folder', (path) => mkdirSync(path)],
    ['a FIFO', (path) => execFileSync('mkfifo', [path])],
    ['missing', () => undefined],
  ])('that is %s is refused, and holds nobody up', async (_, put) => {
    const image = { ...store.image(bytes()), source: fromFile('odd') };
    put(store.layout.file('odd'));
    await expect(importing(image)).rejects.toMatchObject({ code: 'Refused', name: 'HostError' });
    expect(nothingLeft()).toBe(0);
  });
});

describe('an import', () => {
  test('that is given up half-way leaves nothing', async () => {
    const image = store.image(Buffer.alloc(0), { digest: `sha256:${'0'.repeat(64)}` });
    truncateSync(store.layout.file(fileOf(image)), 64 * 2 ** 30);
    const ending = new AbortController();
    const call = importing(image, ending.signal);
    const path = store.layout.imageFile(image.name, 'raw');
    await expect.poll(() => store.filesIn(store.imageFolder)).toContain('disk.raw');
    expect(await store.lookImage()).toMatchObject({ value: { state: 'creating' } });
    ending.abort();
    await expect(call).rejects.toMatchObject({ code: 'Cancelled' });
    expect(store.filesIn(path)).toBeNull();
    expect(nothingLeft()).toBe(0);
  });

  test('of a raw file that is too large does not even begin', async () => {
    const image = store.image(Buffer.alloc(0), { virtualBytesMax: MiB });
    truncateSync(store.layout.file(fileOf(image)), 1024 * 2 ** 30);
    await expect(importing(image)).rejects.toMatchObject({ code: 'Refused' });
    expect(store.filesIn(store.layout.imagesDir)).toBeNull();
  });

  const record = (state: string) =>
    JSON.stringify({
      formatVersion: 1,
      kind: 'image',
      ...us,
      name: 'base',
      state,
      format: 'raw',
      digest: digestOf(bytes()),
    });
  const put = (file: string, content: string | Uint8Array) => {
    mkdirSync(store.imageFolder, { recursive: true });
    writeFileSync(join(store.imageFolder, file), content);
  };
  const cut: readonly (readonly [string, () => void])[] = [
    ['an empty folder', () => mkdirSync(store.imageFolder, { recursive: true })],
    ['half a record', () => put('record.json.new', '{')],
    ['no disk yet', () => put('record.json', record('creating'))],
    [
      'half a disk',
      () => {
        put('record.json', record('creating'));
        put('disk.raw', 'half');
      },
    ],
    [
      'all but the last record',
      () => {
        put('record.json', record('creating'));
        put('disk.raw', bytes());
        put('record.json.new', '{');
      },
    ],
  ];

  test.each(cut)('that a crash cut short at %s is done anew', async (_, prepare) => {
    prepare();
    await importing(store.image(bytes()));
    expect(await store.lookImage()).toMatchObject({
      value: { state: 'ready', sizeBytes: 3 * MiB },
    });
    expect(store.filesIn(store.imageFolder)).toEqual(['disk.raw', 'record.json']);
    expect(readFileSync(join(store.imageFolder, 'disk.raw')).equals(bytes())).toBe(true);
  });

  test.each([
    ...cut,
    [
      'the disk of one being deleted',
      () => {
        put('record.json', record('deleting'));
        put('disk.raw', bytes());
      },
    ] as const,
    ['the record of one being deleted', () => put('record.json', record('deleting'))] as const,
  ])('or a deletion that a crash cut short at %s can be deleted', async (_, prepare) => {
    prepare();
    const { name } = store.image(bytes());
    await store.images.delete(us, name, never);
    expect(nothingLeft()).toBe(0);
  });

  test.each([
    ['raw', 'Refused'],
    ['bzImage', null],
    ['initrd', null],
  ] as const)(
    'of format %s, beside a Volume that cannot be read, is deleted: %s',
    async (format, code) => {
      const image = store.image(format === 'raw' ? bytes() : soundKernel(), { format });
      await importing(image);
      await store.create();
      writeFileSync(join(store.folder, 'record.json'), '{');
      const gone = store.images.delete(us, image.name, never);
      const refused = await gone.then(
        () => null,
        (error: unknown) => (error instanceof HostError ? error.code : error),
      );
      expect(refused).toBe(code);
      expect(nothingLeft()).toBe(code === null ? 0 : 1);
    },
  );

  test('whose disk is gone is unknown, and not imported over', async () => {
    const image = store.image(bytes());
    await importing(image);
    rmSync(store.layout.imageFile(image.name, 'raw'));
    expect(await store.lookImage()).toMatchObject({ status: 'unknown' });
    await expect(importing(image)).rejects.toMatchObject({ code: 'Conflict' });
    await store.images.delete(us, image.name, never);
    expect(nothingLeft()).toBe(0);
  });
});
