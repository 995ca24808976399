/** What an import makes of what `qemu-img` says: the real one is asked in the integration tests. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import { makeImage } from '../../../../src/host/local/image-import.ts';
import { checkInformation } from '../../../../src/host/local/image-inspection.ts';
import { parseQcow2Header } from '../../../../src/host/local/qcow2-header.ts';
import type { ImageInfo, QemuImg } from '../../../../src/host/local/qemu-img.ts';
import { digestOf } from '../../../support/digest.ts';
import {
  type LocalStoreForTests,
  localStoreForTests,
  MiB,
  never,
} from '../../../support/local-store.ts';

let store: LocalStoreForTests;
let bytes: Buffer;
beforeEach(() => {
  store = localStoreForTests();
  bytes = store.qcow2();
});
afterEach(() => store.dispose());

const sound: ImageInfo = {
  format: 'qcow2',
  'virtual-size': 8 * MiB,
  'cluster-size': 65_536,
  'dirty-flag': false,
  'format-specific': {
    type: 'qcow2',
    data: {
      compat: '1.1',
      'compression-type': 'zlib',
      'refcount-bits': 16,
      corrupt: false,
      'extended-l2': false,
    },
  },
};
const withData = (data: object): ImageInfo => {
  const specific = { type: 'qcow2', data: { compat: '1.1', ...data } };
  return { ...sound, 'format-specific': specific };
};

/** Says what it is told to, and writes what `flattened` is. */
const told = (answers: Partial<QemuImg>, flattened: Buffer = bytes): QemuImg => ({
  info: async () => sound,
  check: async () => ({ format: 'qcow2', 'check-errors': 0, corruptions: 0, leaks: 0 }),
  flatten: async (_image, to) => writeFileSync(to, flattened),
  resize: async () => undefined,
  ...answers,
});

async function making(qemuImg: QemuImg, isSealed = false): Promise<void> {
  const path = store.layout.file('image');
  writeFileSync(path, bytes);
  const file = await open(path, 'r');
  try {
    await makeImage(
      { name: 'image', file, sizeBytes: bytes.length, sealedPath: isSealed ? path : null },
      { digest: digestOf(bytes), format: 'qcow2', virtualBytesMax: null },
      { made: `${store.dir}/disk`, supplied: `${store.dir}/supplied` },
      qemuImg,
      never,
    );
  } finally {
    await file.close();
  }
}

const refusedFor = (objection: string) => ({ code: 'Refused', context: { objection } });

describe('an import', () => {
  test('takes what the sandbox has written, and keeps nothing of what was supplied', async () => {
    const flattened = store.qcow2('-o', 'cluster_size=4k');
    await making(told({}, flattened));
    expect(readFileSync(`${store.dir}/disk`).equals(flattened)).toBe(true);
    expect(store.filesIn(store.dir)).not.toContain('supplied');
  });

  test('looks into what nobody can write to where it is, and leaves it there', async () => {
    const seen: boolean[] = [];
    const info = async (supplied: string) => {
      seen.push(statSync(supplied).ino === statSync(store.layout.file('image')).ino);
      return sound;
    };
    await making(told({ info }), true);
    expect(seen).toEqual([true]);
    expect(store.filesIn(store.dir)).not.toContain('supplied');
    expect(readFileSync(store.layout.file('image')).equals(bytes)).toBe(true);
    expect(statSync(`${store.dir}/disk`).ino).not.toBe(statSync(store.layout.file('image')).ino);
  });

  test.each<readonly [string, ImageInfo]>([
    ['another format', { ...sound, format: 'raw' }],
    ['another size', { ...sound, 'virtual-size': 16 * MiB }],
    ['other clusters', { ...sound, 'cluster-size': 512 }],
    ['a dirty bit', { ...sound, 'dirty-flag': true }],
    ['encryption', { ...sound, encrypted: true }],
    ['a backing file', { ...sound, 'backing-filename': '/etc/passwd' }],
    ['a whole name of one', { ...sound, 'full-backing-filename': '/etc/passwd' }],
    ['a snapshot', { ...sound, snapshots: [{}] }],
    ['another kind', { ...sound, 'format-specific': { type: 'vmdk', data: { compat: '1.1' } } }],
    ['another version', withData({ compat: '0.10' })],
    ['other refcounts', withData({ 'refcount-bits': 64 })],
    ['another compression', withData({ 'compression-type': 'zstd' })],
    ['a data file', withData({ 'data-file': '/etc/passwd' })],
    ['extended L2 entries', withData({ 'extended-l2': true })],
    ['a corrupt bit', withData({ corrupt: true })],
    ['a bitmap', withData({ bitmaps: [{}] })],
    ['a key', withData({ encrypt: { format: 'luks' } })],
  ])('is refused if only qemu-img sees %s', async (_, info) => {
    const failing = making(told({ info: async () => info }));
    await expect(failing).rejects.toMatchObject(refusedFor('Disagreement'));
  });

  test('is refused if tables contradict one another, and not if clusters are lost', async () => {
    const check = (found: object) => async () =>
      ({ format: 'qcow2', 'check-errors': 0, corruptions: 0, leaks: 0, ...found }) as const;
    for (const found of [{ corruptions: 1 }, { 'check-errors': 1 }]) {
      const failing = making(told({ check: check(found) }));
      await expect(failing).rejects.toMatchObject(refusedFor('Corrupt'));
    }
    await making(told({ check: check({ leaks: 7 }) })).catch(() => undefined);
    expect(readFileSync(`${store.dir}/disk`).equals(bytes)).toBe(true);
  });

  test.each([
    ['with an exit code', { exitCode: 1 }, 'Corrupt'],
    ['at a limit', { limit: 'memory' }, 'OverLimits'],
  ])('is refused if qemu-img ends %s', async (_, context, objection) => {
    const info = async () => {
      throw new HostError('Refused', 'running qemu-img info', { context });
    };
    await expect(making(told({ info }))).rejects.toMatchObject(refusedFor(objection));
  });

  test('whose result is not sound fails', async () => {
    const overlay = store.qcow2('-b', '/etc/passwd', '-F', 'raw', '-u');
    await expect(making(told({}, overlay))).rejects.toMatchObject(refusedFor('BackingFile'));
  });

  test('whose result is another disk fails', async () => {
    store.qcow2();
    const larger = Buffer.from(bytes);
    larger.writeBigUInt64BE(BigInt(16 * MiB), 24);
    await expect(making(told({}, larger))).rejects.toMatchObject({ code: 'Protocol' });
  });

  test('of what is changed meanwhile takes nothing of it', async () => {
    const failing = making(
      told({
        info: async (supplied) => {
          writeFileSync(store.layout.file('image'), 'other bytes');
          expect(readFileSync(supplied).equals(bytes)).toBe(true);
          return sound;
        },
      }),
    );
    await failing;
  });
});

test('what both say of a real image is the same', () => {
  const header = parseQcow2Header(bytes.subarray(0, 4096));
  if (!('version' in header)) throw new Error(header.words);
  expect(() => checkInformation('image', header, sound)).not.toThrow();
});
