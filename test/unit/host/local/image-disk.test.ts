/**
 * The image disk's files, whatever e2fsprogs say and whenever it ends: the tools are ours here, and the real ones
 * are in the integration tests.
 */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import type { Ext4, Ext4File } from '../../../../src/host/local/ext4.ts';
import {
  localImageDisks,
  noteTakenOut,
  openImageDisk,
} from '../../../../src/host/local/image-disk.ts';
import { localImages } from '../../../../src/host/local/images.ts';
import { localIntakes } from '../../../../src/host/local/intakes.ts';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import type { DomainRef } from '../../../../src/model/domain.ts';
import type { ImageName } from '../../../../src/model/names.ts';
import { image, installation, partition } from '../../../support/passes.ts';
import { digestOf } from '../../../support/simulation.ts';

const never = new AbortController().signal;
const owner = { installation, partition };
const full = 65_536;
const file = 8192;
const debian = 'debian' as ImageName;
const given = [{ image: debian, digest: digestOf(1), path: 'a', sizeBytes: file }];
const smaller = { sizeBytes: full - file, given, removed: ['a'] };

let dir: string;
/** What was asked of them, and which of it fails. */
let asked: string[];
let failing: string | null;
let found: Ext4File | null;
let unsound: string | null;

const did = (what: string) => {
  asked.push(what);
  if (what === failing) throw new HostError('Refused', 'the test says so');
};
const ext4: Ext4 = {
  make: async () => did('make'),
  checkUnmounted: async () => did('checkUnmounted'),
  find: async () => {
    did('find');
    return found;
  },
  dump: async (_disk, _path, to, bytesMax) => {
    writeFileSync(to, Buffer.alloc(Math.min(bytesMax, found?.sizeBytes ?? 0), 'x'));
    did('dump');
  },
  isSound: async (disk) => {
    did(`isSound ${disk.slice(-10)}`);
    return unsound === null || !disk.endsWith(unsound);
  },
  remove: async (disk, path) => {
    writeFileSync(disk, `without ${path}`, { flag: 'r+' });
    did('remove');
  },
  resize: async () => did('resize'),
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-image-disk-'));
  asked = [];
  failing = null;
  unsound = null;
  found = { kind: 'file', sizeBytes: file };
});
afterEach(() => rmSync(dir, { recursive: true }));

const disks = () => localImageDisks(dir, () => ext4);
const intakes = () => localIntakes(dir, () => ext4);
const layout = () => storeLayout(dir, partition);
const create = () => disks().create(owner, { sizeBytes: full, given: [] }, never);
const look = async () => {
  const seen = await disks().find(partition, never);
  return seen.status === 'present' ? seen.value : seen.status;
};
const files = () => readdirSync(layout().imageDiskDir).sort();
const contentOf = (which: 0 | 1) =>
  readFileSync(layout().imageDiskFile(which)).toString().replace(/\0+$/, '');

describe('reworking it', () => {
  beforeEach(async () => {
    await create();
    writeFileSync(layout().imageDiskFile(0), 'as its guest wrote it', { flag: 'r+' });
    await noteTakenOut(layout(), owner, 'a');
    asked = [];
  });

  test('removes nothing of a name that a guest has had since', async () => {
    const ref = { uuid: '3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001', domainName: 'vm' } as DomainRef;
    await openImageDisk(layout(), partition, ref);
    await disks().rework(owner, smaller, never);
    expect(asked).not.toContain('remove');
    expect(contentOf(1)).toBe('as its guest wrote it');
    expect(await look()).toMatchObject({ sizeBytes: full - file, given });
  });

  test('is done on a copy, which is looked at before and after', async () => {
    await disks().rework(owner, smaller, never);
    expect(asked).toEqual([
      'checkUnmounted',
      'isSound disk-0.raw',
      'remove',
      'resize',
      'isSound disk-1.raw',
    ]);
    expect(files()).toEqual(['disk-1.raw', 'record.json']);
    expect(contentOf(1)).toBe('without aest wrote it');
    expect(await look()).toMatchObject({ sizeBytes: full - file, heldBytes: full - file, given });
  });

  test.each(['checkUnmounted', 'isSound disk-0.raw', 'remove', 'resize', 'isSound disk-1.raw'])(
    'that fails at "%s" has changed nothing',
    async (what) => {
      failing = what;
      await expect(disks().rework(owner, smaller, never)).rejects.toMatchObject({
        code: 'Refused',
      });
      expect(files()).toEqual(['disk-0.raw', 'record.json']);
      expect(contentOf(0)).toBe('as its guest wrote it');
      expect(await look()).toMatchObject({ sizeBytes: full, heldBytes: full, given: [] });
    },
  );

  test.each(['disk-0.raw', 'disk-1.raw'])(
    'with mistakes in %s has changed nothing',
    async (which) => {
      unsound = which;
      await expect(disks().rework(owner, smaller, never)).rejects.toMatchObject({
        context: { objection: 'Corrupt' },
      });
      expect(contentOf(0)).toBe('as its guest wrote it');
      expect(asked.includes('remove')).toBe(which === 'disk-1.raw');
    },
  );

  test('that a crash has interrupted takes room until it is done over', async () => {
    writeFileSync(layout().imageDiskFile(1), Buffer.alloc(full, 'half'));
    expect(await look()).toMatchObject({ sizeBytes: full, heldBytes: 2 * full });
    await disks().rework(owner, smaller, never);
    expect(files()).toEqual(['disk-1.raw', 'record.json']);
    expect(contentOf(1)).toBe('without aest wrote it');
  });

  test('that a crash has interrupted at its end is done, but for what it replaces', async () => {
    await disks().rework(owner, smaller, never);
    writeFileSync(layout().imageDiskFile(0), 'the one of before');
    asked = [];
    expect(await look()).toMatchObject({ sizeBytes: full - file });
    await disks().rework(owner, { ...smaller, removed: [] }, never);
    expect(asked).toEqual([]);
    expect(files()).toEqual(['disk-1.raw', 'record.json']);
  });
});

test('a disk that has lost its file is unknown, and not made anew', async () => {
  await create();
  rmSync(layout().imageDiskFile(0));
  expect(await look()).toBe('unknown');
});

test('whom it is lent to stands with it, and what was taken off it before no longer does', async () => {
  await create();
  await intakes().create(owner, { image: debian, kind: 'imageDisk', digest: digestOf(1), sizeBytes: file }, never);
  await intakes().takeOut(owner, debian, 'a', never);
  expect(await look()).toMatchObject({ takenOut: ['a'], lentTo: null });
  const ref = { uuid: '3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001', domainName: 'vm' } as DomainRef;
  expect(await openImageDisk(layout(), partition, ref)).toBe(layout().imageDiskFile(0));
  expect(await look()).toMatchObject({ takenOut: [], lentTo: ref });
}); // prettier-ignore

test('of what comes off it at the same time, all is noted', async () => {
  await create();
  const names = Array.from({ length: 8 }, (_, at) => `i${at}` as ImageName);
  const asIntake = { kind: 'imageDisk', digest: digestOf(1), sizeBytes: file } as const;
  for (const name of names) await intakes().create(owner, { image: name, ...asIntake }, never);
  await Promise.all(names.map((name) => intakes().takeOut(owner, name, `file-${name}`, never)));
  const seen = await look();
  expect(seen).toMatchObject({
    takenOut: expect.arrayContaining(names.map((each) => `file-${each}`)),
  });
});

test('what is not on it is not noted, and no more than can be read back', async () => {
  await create();
  await intakes().create(owner, { image: debian, kind: 'imageDisk', digest: digestOf(1), sizeBytes: file }, never);
  found = null;
  await expect(intakes().takeOut(owner, debian, 'nosuch', never)).rejects.toThrow('no such file');
  expect(await look()).toMatchObject({ takenOut: [] });
  const long = (at: number) => `${'d'.repeat(200)}/${at}`;
  let noted = 0;
  const fill = async () => {
    for (; noted < 400; noted += 1) await noteTakenOut(layout(), owner, long(noted));
  };
  await expect(fill()).rejects.toMatchObject({ code: 'Refused' });
  expect(noted).toBeGreaterThan(200);
  expect(await look()).toMatchObject({ state: 'ready' });
}); // prettier-ignore

describe('taking a file out', () => {
  const fill = () => intakes().takeOut(owner, debian, 'images/debian', never);
  const received = async () => {
    const seen = await intakes().read(partition, debian, never);
    return seen.status === 'present' ? seen.value.receivedBytes : seen.status;
  };
  beforeEach(async () => {
    await create();
    const intake = { image: debian, kind: 'imageDisk', digest: digestOf(1), sizeBytes: file } as const;
    await intakes().create(owner, intake, never);
    asked = [];
  }); // prettier-ignore

  test('asks whether it was unmounted, and what it is, before it reads any of it', async () => {
    await fill();
    expect(asked).toEqual(['checkUnmounted', 'find', 'dump']);
    expect(await received()).toBe(file);
    expect(statSync(layout().intakeDisk(debian)).mode & 0o777).toBe(0o600);
  });

  test.each<readonly [string, Ext4File | null, string]>([
    ['nothing', null, 'NotOnDisk'],
    ['a folder', { kind: 'folder', sizeBytes: file }, 'NotAFile'],
    ['a link', { kind: 'link', sizeBytes: file }, 'NotAFile'],
    ['a device', { kind: 'device', sizeBytes: file }, 'NotAFile'],
    ['more', { kind: 'file', sizeBytes: file + 1 }, 'OtherSize'],
    ['less', { kind: 'file', sizeBytes: file - 1 }, 'OtherSize'],
  ])('of %s is refused before anything is read', async (_, what, objection) => {
    found = what;
    await expect(fill()).rejects.toMatchObject({ code: 'Refused', context: { objection } });
    expect(asked).not.toContain('dump');
    expect(await received()).toBe(0);
  });

  test('that ends before its end is none', async () => {
    const short = { ...ext4, dump: async (_disk: string, _path: string, to: string) => writeFileSync(to, 'short') };
    const reading = localIntakes(dir, () => short);
    await expect(reading.takeOut(owner, debian, 'a', never)).rejects.toMatchObject({
      context: { objection: 'OtherSize' },
    });
    expect(await received()).toBe(0);
    expect(existsSync(layout().takenFile(debian))).toBe(false);
  }); // prettier-ignore

  test('again leaves what is there where the file is not to be had any more', async () => {
    await fill();
    const wanted = image('debian', {
      digest: `sha256:${createHash('sha256').update(Buffer.alloc(file, 'x')).digest('hex')}`,
      source: {
        kind: 'imageDisk',
        sizeBytes: file,
        path: 'images/debian',
        taking: 'copy',
        isWritten: true,
      },
    });
    await localImages(dir).verify(owner, wanted, never);
    const ref = { uuid: '3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001', domainName: 'vm' } as DomainRef;
    await openImageDisk(layout(), partition, ref);
    asked = [];
    found = null;
    await fill();
    failing = 'checkUnmounted';
    await expect(fill()).rejects.toThrow('the test says so');
    expect(asked).not.toContain('dump');
    expect(await look()).toMatchObject({ takenOut: [] });
    expect(await received()).toBe(file);
    await localImages(dir).import(owner, wanted, never);
    expect(await localImages(dir).read(partition, debian, never)).toMatchObject({
      status: 'present',
    });
  });

  test.each(['verify', 'import'] as const)(
    'what is no good is dropped by %s, so that it is taken out again',
    async (call) => {
      await fill();
      const source = {
        kind: 'imageDisk',
        sizeBytes: file,
        path: 'a',
        taking: 'copy',
        isWritten: true,
      } as const;
      const judging = localImages(dir)[call](owner, image('debian', { source }), never);
      await expect(judging).rejects.toMatchObject({ context: { objection: 'DigestMismatch' } });
      expect(await received()).toBe(0);
      found = null;
      await expect(fill()).rejects.toMatchObject({ context: { objection: 'NotOnDisk' } });
      found = { kind: 'file', sizeBytes: file };
      await fill();
      expect(await received()).toBe(file);
    },
  );

  test('replaces what was taken out before, once all of it is there', async () => {
    await fill();
    truncateSync(layout().intakeDisk(debian), 7);
    writeFileSync(layout().takenFile(debian), 'of a crash');
    await fill();
    expect(readFileSync(layout().intakeDisk(debian)).equals(Buffer.alloc(file, 'x'))).toBe(true);
    expect(readdirSync(join(layout().intakesDir, debian)).sort()).toEqual(['disk.raw', 'record.json']);
  }); // prettier-ignore
});

test('the record of an Image says what it was moved from, and of any other what it always did', async () => {
  await create();
  const bytes = Buffer.alloc(file, 'x');
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const records = new Map<string, object>();
  for (const taking of ['copy', 'move'] as const) {
    const source = { kind: 'imageDisk', sizeBytes: file, path: 'a', taking, isWritten: true } as const;
    const wanted = image(taking, { digest, source });
    const { name } = wanted;
    await intakes().create(owner, { image: name, kind: 'imageDisk', digest, sizeBytes: file }, never);
    await intakes().takeOut(owner, name, 'a', never);
    await localImages(dir).import(owner, wanted, never);
    records.set(taking, JSON.parse(readFileSync(join(layout().imagesDir, name, 'record.json'), 'utf8')));
    const seen = await localImages(dir).read(partition, name, never);
    const moved = taking === 'copy' ? null : { path: 'a', sizeBytes: file };
    expect(seen).toMatchObject({ status: 'present', value: { moved } });
  }
  expect(Object.keys(records.get('copy') ?? {})).not.toContain('moved');
  expect(records.get('move')).toMatchObject({ moved: { path: 'a', sizeBytes: file } });
}); // prettier-ignore
