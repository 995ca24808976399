/** Streams of a real libvirtd, into a volume and out of it. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect, type StoragePool } from '../../../src/libvirt/index.ts';
import { failure, tmp } from './rig.ts';

const bytes = randomBytes(3 * 1_048_576 + 17);
const directory = `${tmp}/lv-pool`;
const virsh = (...args: string[]) => execFileSync('virsh', ['--quiet', ...args]);

let connection: Connection;
let pool: StoragePool;

beforeAll(async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/up`, Buffer.alloc(bytes.length));
  writeFileSync(`${directory}/down`, bytes);
  virsh('pool-define-as', 'lv-pool', 'dir', '--target', directory);
  virsh('pool-start', 'lv-pool');
  connection = await connect();
  pool = await connection.storage.lookupPoolByName('lv-pool');
});

afterAll(() => {
  connection.close();
  virsh('pool-destroy', 'lv-pool');
  virsh('pool-undefine', 'lv-pool');
});

test('a pool and its volumes can be read', async () => {
  const { storage } = connection;
  expect(await storage.pools({ active: true })).toContainEqual(pool);
  expect(await storage.lookupPoolByUuid(pool.uuid)).toEqual(pool);
  expect(await storage.poolInfo(pool)).toMatchObject({ state: 'running' });
  expect(await storage.poolXml(pool)).toContain(directory);
  writeFileSync(`${directory}/late`, 'x');
  await storage.refreshPool(pool);
  const volumes = await storage.volumes(pool);
  expect(volumes.map(({ name }) => name).toSorted()).toEqual(['down', 'late', 'up']);
  const volume = await storage.lookupVolumeByName(pool, 'down');
  expect(await storage.lookupVolumeByPath(`${directory}/down`)).toEqual(volume);
  expect(await storage.volumePath(volume)).toBe(`${directory}/down`);
  expect(await storage.volumeXml(volume)).toContain('<name>down</name>');
  expect(await storage.volumeInfo(volume)).toMatchObject({
    type: 'file',
    capacityBytes: BigInt(bytes.length),
  });
  expect(await failure(storage.lookupVolumeByName(pool, 'none'))).toMatchObject({
    code: 'NO_STORAGE_VOL',
  });
});

test('an upload arrives byte for byte', async () => {
  const volume = await connection.storage.lookupVolumeByName(pool, 'up');
  await pipeline(Readable.from(bytes), await connection.storage.upload(volume));
  expect(readFileSync(`${directory}/up`).equals(bytes)).toBe(true);
});

test('a download gives all of it, or a part', async () => {
  const { storage } = connection;
  const volume = await storage.lookupVolumeByName(pool, 'down');
  expect((await buffer(await storage.download(volume))).equals(bytes)).toBe(true);
  const part = await buffer(
    await storage.download(volume, { offsetBytes: 1000, lengthBytes: 500n }),
  );
  expect(part.equals(bytes.subarray(1000, 1500))).toBe(true);
});

test('a transfer that is given up harms nothing', async () => {
  const { storage } = connection;
  const volume = await storage.lookupVolumeByName(pool, 'down');
  const download = await storage.download(volume);
  for await (const chunk of download) {
    expect(Buffer.isBuffer(chunk)).toBe(true);
    break;
  }
  const upload = await storage.upload(volume);
  const error = await failure(
    pipeline(
      Readable.from(
        (function* fail() {
          yield bytes.subarray(0, 10);
          throw new Error('the source is gone');
        })(),
      ),
      upload,
    ),
  );
  expect(error).toMatchObject({ message: 'the source is gone' });
  expect((await buffer(await storage.download(volume))).equals(bytes)).toBe(true);
});

test('a download of a file that has gone is refused', async () => {
  writeFileSync(`${directory}/gone`, 'x');
  await connection.storage.refreshPool(pool);
  const volume = await connection.storage.lookupVolumeByName(pool, 'gone');
  rmSync(`${directory}/gone`);
  expect(await failure(connection.storage.download(volume))).toMatchObject({
    name: 'LibvirtError',
    procedure: 'storage_vol_download',
  });
});
