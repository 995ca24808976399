/**
 * Every image that a tenant could hand in to do harm, and what an honest one may be: through the whole
 * of an import, with the real tools in the real sandbox.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localIntakes } from '../../../src/host/local/intakes.ts';
import { localImages } from '../../../src/host/local/images.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { parseQcow2Header } from '../../../src/host/local/qcow2-header.ts';
import { qcow2Objection } from '../../../src/host/local/qcow2-rules.ts';
import type { FileName, ImageName } from '../../../src/model/names.ts';
import { type Image, type ImageFormat, unpackedBytesMax } from '../../../src/model/volume.ts';
import {
  hostileImages,
  qemuImg,
  repeatedCluster,
  validImages,
} from '../../support/hostile-images.ts';
import { installation, partition } from '../../support/passes.ts';

const never = new AbortController().signal;
const owner = { installation, partition };
const name = 'image' as ImageName;
/** Of one import: nobody is held up for longer by an image that is small. */
const importMsMax = 110_000;
const secret = 'the canary of this test, which nobody may read';
/** Long ago, so that the first read moves it. */
const before = new Date('2001-01-01');

let top: string;
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'unnest-corpus-'));
  chmodSync(top, 0o755);
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

let dir: string;
let canary: string;
beforeEach(() => {
  dir = mkdtempSync(join(top, 'one-'));
  chmodSync(dir, 0o755);
  mkdirSync(storeLayout(dir, partition).filesDir, { recursive: true });
  // A whole number of sectors, readable to all, and of a short name.
  canary = join(dir, 'canary');
  writeFileSync(canary, secret.repeat(1000).padEnd(65_536).slice(0, 65_536), { mode: 0o644 });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const setCanary = () => utimesSync(canary, before, new Date('2002-01-01'));
const canaryIsUntouched = () => {
  const isUnread = statSync(canary).atimeMs === before.getTime();
  return isUnread && statSync(canary).mtimeMs === new Date('2002-01-01').getTime();
};

function digestOf(path: string): string {
  return `sha256:${execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64)}`;
}

async function importing(format: ImageFormat, virtualBytesMax: number | null) {
  const layout = storeLayout(dir, partition);
  const path = layout.file('image');
  const digest = statSync(path).size > 2 ** 32 ? `sha256:${'0'.repeat(64)}` : digestOf(path);
  const source = { kind: 'file', file: 'image' as FileName } as const;
  const image: Image = { name, digest, format, source, virtualBytesMax };
  const startedMs = performance.now();
  const error = await localImages(dir)
    .import(owner, image, never)
    .then(
      () => null,
      (refused: unknown) => refused,
    );
  expect(performance.now() - startedMs).toBeLessThan(importMsMax);
  return { error, layout };
}

/** What is said of the same bytes once they have come in, before anything is given up for them. */
async function verifying(format: ImageFormat, virtualBytesMax: number | null) {
  const layout = storeLayout(dir, partition);
  const path = layout.file('image');
  const { size: sizeBytes } = statSync(path);
  const digest = sizeBytes > 2 ** 32 ? `sha256:${'0'.repeat(64)}` : digestOf(path);
  const kind = 'upload';
  await localIntakes(dir).create(owner, { image: name, kind, digest, sizeBytes }, never);
  execFileSync('cp', ['--sparse=always', path, layout.intakeDisk(name)]);
  const image: Image = { name, digest, format, source: { kind, sizeBytes }, virtualBytesMax };
  const error = await localImages(dir)
    .verify(owner, image, never)
    .then(
      () => null,
      (refused: unknown) => refused,
    );
  const { uid, mode } = lstatSync(layout.sealedDisk(name));
  expect([uid, mode & 0o777]).toEqual([0, 0o600]);
  expect(filesBelow(layout.imagesDir)).toEqual([]);
  return error;
}

const filesBelow = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];

test('this is a root that could read and write it all, so that what follows means something', () => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  expect(process.getuid?.()).toBe(0);
  expect(hostileImages.length).toBeGreaterThanOrEqual(40);
  setCanary();
  expect(canaryIsUntouched()).toBe(true);
  readFileSync(canary);
  expect(canaryIsUntouched()).toBe(false);
});

test.each(['a backing file of the host', 'an external data file'])(
  'without a sandbox %s would be read',
  (what) => {
    const armed = hostileImages.find((each) => each.what.endsWith(what));
    const path = join(dir, 'armed');
    armed?.make(path, canary);
    setCanary();
    qemuImg('convert', '-f', 'qcow2', '-O', 'raw', path, join(dir, 'leaked'));
    expect(canaryIsUntouched()).toBe(false);
    expect(readFileSync(join(dir, 'leaked'), 'latin1')).toContain(secret);
  },
);

describe('refused, without a trace, is', () => {
  test.each(hostileImages)('$what ($code)', async ({ declared, code, virtualBytesMax, make }) => {
    make(storeLayout(dir, partition).file('image'), canary);
    setCanary();
    const { error, layout } = await importing(declared, virtualBytesMax ?? null);
    expect(error).toMatchObject({
      name: 'HostError',
      code: 'Refused',
      context: { objection: code },
    });
    expect(error).toMatchObject({ message: expect.stringContaining(`(${code})`) });
    expect(canaryIsUntouched()).toBe(true);
    expect(filesBelow(layout.imagesDir)).toEqual([]);
    // Nobody has room made for no bytes.
    if (statSync(layout.file('image')).size === 0) return;
    expect(await verifying(declared, virtualBytesMax ?? null)).toMatchObject({
      code: 'Refused',
      context: { objection: code },
    });
    expect(canaryIsUntouched()).toBe(true);
  });
});

describe('imported, byte for byte, is a qcow2 with', () => {
  test.each(validImages)('$what', async ({ make }) => {
    const supplied = storeLayout(dir, partition).file('image');
    make(supplied);
    expect(await verifying('qcow2', null)).toBeNull();
    const { error, layout } = await importing('qcow2', null);
    expect(error).toBeNull();
    const disk = layout.imageFile(name, 'qcow2');
    expect([...filesBelow(layout.imagesDir)].sort()).toEqual([
      'image',
      'image/disk.qcow2',
      'image/record.json',
    ]);
    expect([lstatSync(disk).uid, lstatSync(disk).mode & 0o777]).toEqual([0, 0o444]);
    const file = readFileSync(disk);
    const header = parseQcow2Header(file.subarray(0, 4096));
    if (!('version' in header)) throw new Error(header.words);
    expect(qcow2Objection(header, file.length, null)).toBeNull();
    expect(file.length).toBeLessThanOrEqual(unpackedBytesMax(Number(header.virtualBytes)));
    qemuImg('compare', '-q', '-f', 'qcow2', '-F', 'qcow2', supplied, disk);
  });
});

test('a cluster that stands for a thousand takes no more than its disk', async () => {
  const supplied = storeLayout(dir, partition).file('image');
  repeatedCluster(supplied);
  expect(statSync(supplied).size).toBeLessThan(2 ** 20);
  const { error, layout } = await importing('qcow2', null);
  expect(error).toBeNull();
  const { size } = statSync(layout.imageFile(name, 'qcow2'));
  expect(size).toBeGreaterThan(64 * 2 ** 20);
  expect(size).toBeLessThanOrEqual(unpackedBytesMax(64 * 2 ** 20));
});

test('what is made is not what was supplied', async () => {
  const supplied = storeLayout(dir, partition).file('image');
  validImages.find(({ what }) => what === 'convert -c')?.make(supplied);
  const { layout } = await importing('qcow2', null);
  const made = createHash('sha256').update(readFileSync(layout.imageFile(name, 'qcow2')));
  const record = JSON.parse(readFileSync(join(layout.imagesDir, name, 'record.json'), 'utf8'));
  expect(record).toMatchObject({ digest: digestOf(supplied), format: 'qcow2', state: 'ready' });
  expect(`sha256:${made.digest('hex')}`).not.toBe(record.digest);
});
