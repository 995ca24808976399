/**
 * Every file system that a Primary could leave on its image disk to do harm, and what an honest one may be:
 * taken from and made smaller with the real tools in the real sandbox. Whatever they find, the disk is as it was.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { imageExplanations } from '../../../src/cli/explain/images.ts';
import { HostError } from '../../../src/host/host-error.ts';
import { localImageDisks } from '../../../src/host/local/image-disk.ts';
import { localImages } from '../../../src/host/local/images.ts';
import { localIntakes } from '../../../src/host/local/intakes.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { describeImageDiskContract } from '../../contract/image-disk-contract.ts';
import { digestOf } from '../../support/digest.ts';
import {
  checkFileSystem,
  debugfs,
  diskBytes,
  fileOn,
  hostileFileSystems,
  otherFile,
  otherPath,
  unusualFileSystems,
  wantedFile,
  wantedPath,
} from '../../support/hostile-file-systems.ts';
import { installation, partition } from '../../support/passes.ts';

const never = new AbortController().signal;
const owner = { installation, partition };
const name = 'debian' as ImageName;
const digest = digestOf(wantedFile);
const sizeBytes = wantedFile.length;
/** Nobody is held up for longer by a disk that is small. */
const lookMsMax = 110_000;
/** Long ago, so that the first read moves it. */
const long = new Date('2001-01-01');

let dir: string;
let canary: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-disks-'));
  chmodSync(dir, 0o755);
  canary = join(dir, 'canary');
  writeFileSync(canary, wantedFile, { mode: 0o644 });
  await disks().create(owner, { sizeBytes: diskBytes, given: [] }, never);
  await intakes().create(owner, { image: name, kind: 'imageDisk', digest, sizeBytes }, never);
  utimesSync(canary, long, new Date('2002-01-01'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const disks = () => localImageDisks(dir);
const intakes = () => localIntakes(dir);
const layout = () => storeLayout(dir, partition);
const disk = () => layout().imageDiskFile(0);
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const given = [{ image: name, digest, path: wantedPath, sizeBytes }];
const smaller = { sizeBytes: diskBytes - sizeBytes, given, removed: [wantedPath] };

async function objectionTo(call: Promise<unknown>): Promise<string | null> {
  const startedMs = performance.now();
  try {
    await call;
    return null;
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'Refused') throw error;
    const code = String(error.context['objection']);
    // `unnest explain` knows it.
    if (!Object.hasOwn(imageExplanations, code)) throw error;
    return code;
  } finally {
    expect(performance.now() - startedMs).toBeLessThan(lookMsMax);
  }
}

/** As its guest left it, for libvirt to plug in again: nobody's but ours, and nothing beside it. */
function checkUntouched(before: string): void {
  expect(hashOf(disk())).toBe(before);
  const { uid, mode } = statSync(disk());
  expect([uid, mode & 0o777]).toEqual([0, 0o600]);
  expect(readdirSync(layout().imageDiskDir).sort()).toEqual(['disk-0.raw', 'record.json']);
  expect(statSync(canary).atimeMs).toBe(long.getTime());
}

const checkOther = () => expect(read(otherPath)?.equals(otherFile)).toBe(true);

const read = (path: string) => {
  const now = existsSync(disk()) ? disk() : layout().imageDiskFile(1);
  return fileOn(now, path, join(dir, 'read'));
};

describeImageDiskContract('local files', async () => {
  const own = mkdtempSync(join(tmpdir(), 'unnest-disk-'));
  chmodSync(own, 0o755);
  const places = storeLayout(own, partition);
  const recordFile = join(places.imageDiskDir, 'record.json');
  return {
    host: {
      imageDisks: localImageDisks(own),
      images: localImages(own),
      intakes: localIntakes(own),
    },
    owner,
    put: async (path, bytes) => {
      const put = join(own, 'put');
      writeFileSync(put, Buffer.alloc(bytes, 'x'));
      debugfs(places.imageDiskFile(0), `mkdir ${dirname(path)}`, `write ${put} ${path}`);
    },
    makeForeign: async () => {
      mkdirSync(places.imageDiskDir, { recursive: true });
      writeFileSync(places.imageDiskFile(0), 'theirs');
    },
    leave: async (state) => {
      const record = JSON.parse(readFileSync(recordFile, 'utf8')) as object;
      writeFileSync(recordFile, JSON.stringify({ ...record, state }));
    },
    dispose: async () => rmSync(own, { recursive: true }),
  };
});

test('this is a root that could read it all, and there are enough of them', () => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  expect(process.getuid?.()).toBe(0);
  expect(hostileFileSystems.length).toBeGreaterThanOrEqual(25);
});

describe('a disk with', () => {
  test.each(hostileFileSystems)('$what', async ({ taken, moved, path = wantedPath, make }) => {
    make(disk(), canary);
    truncateSync(disk(), diskBytes);
    const before = hashOf(disk());
    const took = await objectionTo(intakes().takeOut(owner, name, path, never));
    expect(taken.length === 0 ? [null] : taken).toContain(took);
    checkUntouched(before);
    const left = readdirSync(join(layout().intakesDir, name)).sort();
    expect(left).toEqual(['disk.raw', 'record.json']);
    const bytes = readFileSync(layout().intakeDisk(name));
    expect(bytes.equals(took === null ? wantedFile : Buffer.alloc(0))).toBe(true);

    const shrank = await objectionTo(disks().rework(owner, smaller, never));
    expect(moved.length === 0 ? [null] : moved).toContain(shrank);
    if (shrank !== null) checkUntouched(before);
    else checkOther();
  });
});

describe('an unusual disk:', () => {
  test.each(unusualFileSystems)('$what', async ({ moved, make }) => {
    make(disk(), canary);
    const before = hashOf(disk());
    expect(await objectionTo(intakes().takeOut(owner, name, wantedPath, never))).toBeNull();
    checkUntouched(before);
    expect(readFileSync(layout().intakeDisk(name)).equals(wantedFile)).toBe(true);
    const shrank = await objectionTo(disks().rework(owner, smaller, never));
    expect(moved.length === 0 ? [null] : moved).toContain(shrank);
    expect(read(otherPath)?.equals(otherFile)).toBe(true);
    if (shrank !== null) return checkUntouched(before);
    expect(read(wantedPath)).toBeNull();
    expect(statSync(layout().imageDiskFile(1)).size).toBe(smaller.sizeBytes);
    // And grows again, with what is on it.
    await disks().rework(owner, { sizeBytes: diskBytes, given: [], removed: [] }, never);
    expect(statSync(disk()).size).toBe(diskBytes);
    expect(read(otherPath)?.equals(otherFile)).toBe(true);
    checkFileSystem(disk());
  });
});
