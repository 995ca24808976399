/** Headers made by QEMU and by an enemy, byte by byte. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseQcow2Header } from '../../../../src/host/local/qcow2-header.ts';
import { qcow2Objection } from '../../../../src/host/local/qcow2-rules.ts';

let dir: string;
let sound: Buffer;
let old: Buffer;
let overlay: Buffer;
const make = (name: string, ...args: readonly string[]) => {
  const path = join(dir, name);
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...args, path, '1G']);
  return readFileSync(path);
};
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-qcow2-'));
  sound = make('sound');
  old = make('old', '-o', 'compat=0.10');
  overlay = make('overlay', '-b', join(dir, 'sound'), '-F', 'qcow2');
});
afterAll(() => rmSync(dir, { recursive: true }));

const objection = (bytes: Buffer, backing: Parameters<typeof qcow2Objection>[2] = null) => {
  const header = parseQcow2Header(bytes.subarray(0, 4096));
  const found = 'version' in header ? qcow2Objection(header, bytes.length, backing) : header;
  return found?.words ?? null;
};
const spoilt = (change: (bytes: Buffer) => unknown, of = sound) => {
  const bytes = Buffer.from(of);
  change(bytes);
  return bytes;
};

describe('a qcow2 that QEMU made', () => {
  test('is sound, and of its size', () => {
    for (const bytes of [sound, old]) {
      expect(objection(bytes)).toBeNull();
      expect(parseQcow2Header(bytes)).toMatchObject({ virtualBytes: 2n ** 30n });
    }
  });

  test.each([
    'cluster_size=2M',
    'cluster_size=512',
    'lazy_refcounts=on',
    'refcount_bits=1',
    'compression_type=zstd',
  ])('with %s is sound too', (option) => {
    expect(objection(make('other', '-o', option))).toBeNull();
  });

  test('that lies on another is sound only where that is expected', () => {
    const path = join(dir, 'sound');
    expect(objection(overlay)).toBe('it has a backing file');
    expect(objection(overlay, { path, format: 'qcow2' })).toBeNull();
    expect(objection(overlay, { path, format: 'raw' })).toMatch(/format of a backing file/);
    expect(objection(overlay, { path: `${path}x`, format: 'qcow2' })).toMatch(/does not lie on/);
    expect(objection(sound, { path, format: 'qcow2' })).toMatch(/does not lie on/);
    const silent = spoilt((bytes) => bytes.writeUInt32BE(0x6803f857, 112), overlay);
    expect(objection(silent, { path, format: 'qcow2' })).toMatch(/does not say the format/);
  });
});

const rules: readonly (readonly [string, RegExp, (bytes: Buffer) => unknown])[] = [
  ['another magic', /does not begin/, (b) => b.write('QED\0')],
  ['version 1', /version 1/, (b) => b.writeUInt32BE(1, 4)],
  ['version 4', /version 4/, (b) => b.writeUInt32BE(4, 4)],
  [
    'a backing file',
    /backing file/,
    (b) => b.writeBigUInt64BE(0x210n, 8) && b.writeUInt32BE(11, 16),
  ],
  ['a backing file without a name', /backing file/, (b) => b.writeBigUInt64BE(8n, 8)],
  ['a backing name without a place', /backing file/, (b) => b.writeUInt32BE(11, 16)],
  ['a backing name far away', /backing file/, (b) => b.writeBigUInt64BE(2n ** 63n, 8)],
  ['a name of a backing file without end', /backing file/, (b) => b.writeUInt32BE(0xffffffff, 16)],
  ['tiny clusters', /2\^8 bytes/, (b) => b.writeUInt32BE(8, 20)],
  ['huge clusters', /2\^22 bytes/, (b) => b.writeUInt32BE(22, 20)],
  ['absurd clusters', /2\^4294967295/, (b) => b.writeUInt32BE(0xffffffff, 20)],
  ['no size', /of 0 bytes/, (b) => b.writeBigUInt64BE(0n, 24)],
  ['half a sector', /within a sector/, (b) => b.writeBigUInt64BE(2n ** 30n - 1n, 24)],
  ['an absurd size', /absurdly large/, (b) => b.writeBigUInt64BE(2n ** 63n, 24)],
  [
    'more size than its table',
    /L1 table has 2 entries, and needs 4/,
    (b) => b.writeBigUInt64BE(2n ** 31n, 24),
  ],
  ['AES', /encrypted/, (b) => b.writeUInt32BE(1, 32)],
  ['LUKS', /encrypted/, (b) => b.writeUInt32BE(2, 32)],
  ['a huge L1 table', /L1 table has 4294967295/, (b) => b.writeUInt32BE(0xffffffff, 36)],
  ['an L1 table over the header', /L1 table does not lie/, (b) => b.writeBigUInt64BE(0n, 40)],
  [
    'an L1 table between clusters',
    /L1 table does not lie/,
    (b) => b.writeBigUInt64BE(0x30008n, 40),
  ],
  ['an L1 table behind the end', /L1 table does not lie/, (b) => b.writeBigUInt64BE(0x40000n, 40)],
  ['refcounts over the header', /refcount table does not/, (b) => b.writeBigUInt64BE(0n, 48)],
  [
    'an L1 table over the refcounts',
    /over one another/,
    (b) => b.writeBigUInt64BE(b.readBigUInt64BE(48), 40),
  ],
  ['refcounts behind the end', /refcount table does not/, (b) => b.writeBigUInt64BE(2n ** 62n, 48)],
  ['no refcounts', /refcount table has 0/, (b) => b.writeUInt32BE(0, 56)],
  ['a huge refcount table', /refcount table has 129/, (b) => b.writeUInt32BE(129, 56)],
  ['snapshots', /snapshots/, (b) => b.writeUInt32BE(1, 60)],
  ['the dirty bit', /dirty/, (b) => b.writeBigUInt64BE(1n, 72)],
  ['the corrupt bit', /corrupt/, (b) => b.writeBigUInt64BE(2n, 72)],
  ['an external data file', /data file/, (b) => b.writeBigUInt64BE(4n, 72)],
  ['extended L2 entries', /extended L2/, (b) => b.writeBigUInt64BE(16n, 72)],
  ['an unknown feature', /bit 63/, (b) => b.writeBigUInt64BE(2n ** 63n, 72)],
  ['unknown compression', /compression/, (b) => b.writeBigUInt64BE(8n, 72)],
  ['compression without its bit', /compression/, (b) => b.writeUInt8(1, 104)],
  ['unknown compatible features', /not known/, (b) => b.writeBigUInt64BE(2n, 80)],
  ['bitmaps that are said to be there', /it has bitmaps/, (b) => b.writeBigUInt64BE(1n, 88)],
  ['autoclear bits', /not known/, (b) => b.writeBigUInt64BE(4n, 88)],
  ['absurd refcounts', /2\^7 bits/, (b) => b.writeUInt32BE(7, 96)],
  ['a short header', /header is of 72/, (b) => b.writeUInt32BE(72, 100)],
  ['a long header', /header is of 4294967288/, (b) => b.writeUInt32BE(0xfffffff8, 100)],
  ['an odd header', /header is of 105/, (b) => b.writeUInt32BE(105, 100)],
  ['a backing format', /format of a backing/, (b) => b.writeUInt32BE(0xe2792aca, 112)],
  ['the name of a data file', /external data file/, (b) => b.writeUInt32BE(0x44415441, 112)],
  ['a LUKS extension', /LUKS/, (b) => b.writeUInt32BE(0x0537be77, 112)],
  ['bitmaps', /bitmaps/, (b) => b.writeUInt32BE(0x23852875, 112)],
  ['an unknown extension', /0x12345678/, (b) => b.writeUInt32BE(0x12345678, 112)],
  ['an extension without end', /no end/, (b) => b.writeUInt32BE(0xffffffff, 116)],
  [
    'extensions without end',
    /no end/,
    (b) => {
      for (let at = 112; at < 4096; at += 8) b.writeBigUInt64BE(0x6803f85700000000n, at);
    },
  ],
];

describe('a qcow2 that an enemy made', () => {
  test.each(rules)('with %s is refused', (_, words, change) => {
    expect(objection(spoilt(change))).toMatch(words);
  });

  test('with an old header is refused for the same', () => {
    expect(objection(spoilt((b) => b.writeUInt32BE(2, 32), old))).toMatch(/encrypted/);
    expect(objection(spoilt((b) => b.writeBigUInt64BE(0x210n, 8), old))).toMatch(/backing file/);
    expect(objection(spoilt((b) => b.writeUInt32BE(0x44415441, 72), old))).toMatch(/data file/);
  });

  test('that ends anywhere in its header is refused', () => {
    for (let length = 0; length < 500; length += 1) {
      expect(objection(sound.subarray(0, length))).toEqual(expect.any(String));
    }
  });

  test('of any bytes is answered and never believed', () => {
    const field = fc.tuple(fc.nat(119), fc.nat(255));
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), (fields) => {
        const bytes = spoilt((b) => fields.forEach(([at, value]) => b.writeUInt8(value, at)));
        const header = parseQcow2Header(bytes.subarray(0, 4096));
        if (!('version' in header) || qcow2Objection(header, bytes.length, null)) return;
        expect(header.backing).toBeNull();
        expect(header.incompatibleBits & ~8n).toBe(0n);
        expect(header.snapshots).toBe(0);
        expect(header.cryptMethod).toBe(0);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        const bytes = Buffer.concat([sound.subarray(0, 8), tail]);
        expect(objection(bytes)).toEqual(expect.any(String));
      }),
    );
  });
});
