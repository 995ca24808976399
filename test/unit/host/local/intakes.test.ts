/** Where the bytes of Images come in, on real files: what is looked into is what is used. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localIntakes, openIntake } from '../../../../src/host/local/intakes.ts';
import type { Intake } from '../../../../src/model/intake.ts';
import type { DomainUuid } from '../../../../src/model/identity.ts';
import type { ImageName } from '../../../../src/model/names.ts';
import type { Image } from '../../../../src/model/volume.ts';
import { digestOf } from '../../../support/digest.ts';
import { localStoreForTests } from '../../../support/local-store.ts';
import { installation, partition } from '../../../support/passes.ts';

const us = { installation, partition };
const never = new AbortController().signal;
const MiB = 2 ** 20;
const name = 'base' as ImageName;
const content = randomBytes(MiB);
const vm = { uuid: '3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001' as DomainUuid, domainName: 'vm' };

let store: ReturnType<typeof localStoreForTests>;
let intakes: ReturnType<typeof localIntakes>;
beforeEach(() => {
  store = localStoreForTests();
  intakes = localIntakes(store.dir);
});
afterEach(() => store.dispose());

const intake = (more: Partial<Intake> = {}): Intake => ({
  image: name,
  kind: 'upload',
  digest: digestOf(content),
  sizeBytes: content.length,
  ...more,
});
const append = (atByte: number, bytes: Uint8Array) =>
  intakes.append(us, intake(), atByte, bytes, never);
const look = async () => {
  const seen = await intakes.read(partition, name, never);
  return seen.status === 'present' ? seen.value : seen.status;
};
const folder = () => join(store.layout.intakesDir, name);
const image = (more: Partial<Image> = {}): Image => ({
  name,
  digest: digestOf(content),
  format: 'raw',
  source: { kind: 'upload', sizeBytes: content.length },
  virtualBytesMax: null,
  ...more,
});
const importing = (more: Partial<Image> = {}) => store.images.import(us, image(more), never);

describe('an upload', () => {
  test('is taken in piece by piece, and nothing else than the next', async () => {
    await intakes.create(us, intake(), never);
    expect(await look()).toMatchObject({ receivedBytes: 0, heldBytes: MiB, state: 'ready' });
    expect(await append(0, content.subarray(0, 1000))).toBe(1000);
    const refused = { code: 'Refused' };
    await expect(append(999, Buffer.alloc(1))).rejects.toMatchObject(refused);
    await expect(append(1001, Buffer.alloc(1))).rejects.toMatchObject(refused);
    await expect(append(1000, Buffer.alloc(MiB))).rejects.toMatchObject(refused);
    expect(await append(1000, content.subarray(1000))).toBe(MiB);
    expect(await look()).toMatchObject({ receivedBytes: MiB });
    expect(readFileSync(store.layout.intakeDisk(name)).equals(content)).toBe(true);
    expect(statSync(store.layout.intakeDisk(name)).mode & 0o777).toBe(0o600);
  });

  test('begins anew at 0, also after it was no good', async () => {
    await intakes.create(us, intake(), never);
    await append(0, Buffer.alloc(MiB));
    await expect(importing()).rejects.toMatchObject({ code: 'Refused' });
    expect(await store.lookImage()).toEqual({ status: 'absent' });
    expect(await look()).toMatchObject({ receivedBytes: MiB });
    await append(0, content.subarray(0, 10));
    expect(await look()).toMatchObject({ receivedBytes: 10 });
    // What was no good takes no room beside it.
    expect(store.filesIn(folder())).toEqual(['disk.raw', 'record.json']);
    await append(10, content.subarray(10));
    await importing();
    expect(await store.lookImage()).toMatchObject({ value: { state: 'ready' } });
  });

  test('that is raw becomes the Image as it is, and takes no room twice', async () => {
    await intakes.create(us, intake(), never);
    await append(0, content);
    const inode = statSync(store.layout.intakeDisk(name)).ino;
    await importing();
    const disk = store.layout.imageFile(name, 'raw');
    expect(statSync(disk).ino).toBe(inode);
    expect(readFileSync(disk).equals(content)).toBe(true);
    expect(await look()).toMatchObject({ heldBytes: 0 });
    await intakes.delete(us, name, never);
    expect(existsSync(folder())).toBe(false);
    expect(readFileSync(disk).equals(content)).toBe(true);
  });

  test('counts for itself until the Image has its bytes, whatever a crash has left', async () => {
    await intakes.create(us, intake(), never);
    await append(0, content);
    await importing();
    expect(await look()).toMatchObject({ heldBytes: 0 });
    const record = join(store.imageFolder, 'record.json');
    writeFileSync(record, readFileSync(record, 'utf8').replace('"ready"', '"creating"'));
    expect(await look()).toMatchObject({ heldBytes: MiB });
    await importing();
    expect(await look()).toMatchObject({ heldBytes: 0 });
  });

  test('is not begun anew while its bytes are looked into, or are the Image’s', async () => {
    await intakes.create(us, intake(), never);
    await append(0, content);
    await importing();
    await expect(append(0, Buffer.alloc(MiB))).rejects.toMatchObject({ code: 'Refused' });
    const disk = store.layout.imageFile(name, 'raw');
    expect(readFileSync(disk).equals(content)).toBe(true);
  });

  test('is not begun anew from when it is seen to be good until it is used', async () => {
    await intakes.create(us, intake(), never);
    await append(0, content);
    await store.images.verify(us, image(), never);
    await expect(append(0, Buffer.alloc(1))).rejects.toMatchObject({ code: 'Refused' });
    expect(await store.lookImage()).toEqual({ status: 'absent' });
    await importing();
    expect(await store.lookImage()).toMatchObject({ value: { state: 'ready' } });
    await intakes.delete(us, name, never);
    await intakes.create(us, intake(), never);
    expect(await append(0, Buffer.alloc(1))).toBe(1);
  });

  test('is looked into once for the same, and again for anything else, or after others have come', async () => {
    const verifying = (more: Partial<Image> = {}) => store.images.verify(us, image(more), never);
    await intakes.create(us, intake(), never);
    await append(0, content);
    await verifying();
    // Nobody can do that: it tells whether somebody looks.
    const spoil = () => writeFileSync(store.layout.sealedDisk(name), Buffer.alloc(MiB));
    spoil();
    await verifying();
    const refused = { code: 'Refused' };
    await expect(verifying({ virtualBytesMax: MiB })).rejects.toMatchObject(refused);
    await expect(verifying({ digest: digestOf(Buffer.alloc(1)) })).rejects.toMatchObject(refused);
    await expect(importing()).rejects.toMatchObject({ context: { objection: 'DigestMismatch' } });
    await append(0, content);
    await verifying();
    spoil();
    store.images.letGo(us, name);
    await append(0, content);
    await store.images.verify(us, image(), never);
    spoil();
    await intakes.delete(us, name, never);
    await intakes.create(us, intake(), never);
    await append(0, Buffer.alloc(MiB));
    await expect(verifying()).rejects.toMatchObject(refused);
  });

  test('that is seen to be no good begins anew, as one that could not be imported', async () => {
    await intakes.create(us, intake(), never);
    await append(0, Buffer.alloc(MiB));
    const verifying = store.images.verify(us, image(), never);
    await expect(verifying).rejects.toMatchObject({ context: { objection: 'DigestMismatch' } });
    await append(0, content);
    await store.images.verify(us, image(), never);
    rmSync(store.layout.sealedDisk(name));
    await expect(importing()).rejects.toMatchObject({ code: 'Refused' });
    expect(await append(0, content)).toBe(MiB);
  });

  test('that a pass looks at too early can still go on', async () => {
    await intakes.create(us, intake(), never);
    await append(0, content.subarray(0, 10));
    await expect(importing()).rejects.toMatchObject({ code: 'Refused' });
    expect(await append(10, content.subarray(10))).toBe(MiB);
  });

  test('meets a deletion before it or after it, and leaves nothing that is nobody’s', async () => {
    for (let round = 0; round < 40; round += 1) {
      await intakes.create(us, intake(), never);
      const both = [append(0, content), intakes.delete(us, name, never), append(0, content)];
      await Promise.allSettled(both);
      expect(await look()).toBe('absent');
    }
  });

  test('whose file is gone is made over, and hinders nobody', async () => {
    await intakes.create(us, intake(), never);
    rmSync(store.layout.intakeDisk(name));
    expect(await look()).toMatchObject({ state: 'deleting' });
    await intakes.delete(us, name, never);
    expect(await look()).toBe('absent');
  });

  test('that is not all there is no Image', async () => {
    await intakes.create(us, intake(), never);
    await append(0, content.subarray(1));
    await expect(importing()).rejects.toMatchObject({ code: 'Refused' });
    expect(await store.lookImage()).toEqual({ status: 'absent' });
  });

  test('is only taken in where there is room for it', async () => {
    await expect(append(0, content)).rejects.toMatchObject({ code: 'Conflict' });
    const onDisk = intake({ kind: 'handOver' });
    await intakes.create(us, onDisk, never);
    const adding = intakes.append(us, onDisk, 0, content, never);
    await expect(adding).rejects.toMatchObject({ code: 'Refused' });
    await expect(intakes.create(us, intake(), never)).rejects.toMatchObject({ code: 'Conflict' });
  });
});

describe('a disk', () => {
  const odd = randomBytes(MiB + 100);
  const lent = intake({ kind: 'handOver', sizeBytes: odd.length, digest: digestOf(odd) });
  const handedOver = {
    digest: digestOf(odd),
    format: 'qcow2',
    source: { kind: 'handOver', sizeBytes: odd.length, isWritten: true },
  } as const;

  test('is as large as whole sectors, of which the Image’s bytes are what counts', async () => {
    await intakes.create(us, lent, never);
    const disk = store.layout.intakeDisk(name);
    expect(statSync(disk).size).toBe(MiB + 512);
    expect(statSync(disk).blocks).toBe(0);
    expect(await look()).toMatchObject({ heldBytes: MiB + 512, receivedBytes: 0 });
  });

  test('is given to be written again, as large as it was, after it was no good', async () => {
    await intakes.create(us, lent, never);
    writeFileSync(store.layout.intakeDisk(name), odd, { flag: 'r+' });
    // The right bytes, and no qcow2.
    await expect(importing(handedOver)).rejects.toMatchObject({ code: 'Refused' });
    expect(existsSync(store.layout.intakeDisk(name))).toBe(false);
    const disk = await openIntake(store.layout, name, vm);
    expect(await look()).toMatchObject({ lentTo: vm });
    expect(statSync(disk).mode & 0o777).toBe(0o600);
    expect(disk).toBe(store.layout.intakeDisk(name));
    expect(statSync(disk).size).toBe(MiB + 512);
    expect(readFileSync(disk).subarray(0, odd.length).equals(odd)).toBe(true);
  });

  test('may end within a sector: what is behind the Image’s end does not count', async () => {
    const qcow2 = Buffer.concat([store.qcow2(), Buffer.alloc(100)]);
    const digest = digestOf(qcow2);
    await intakes.create(us, { ...lent, sizeBytes: qcow2.length, digest }, never);
    writeFileSync(store.layout.intakeDisk(name), qcow2, { flag: 'r+' });
    const source = { ...handedOver.source, sizeBytes: qcow2.length };
    await importing({ ...handedOver, digest, source });
    expect(await store.lookImage()).toMatchObject({ value: { state: 'ready' } });
  });

  test('that was seen to be good is looked into again once somebody has had it', async () => {
    await intakes.create(us, intake({ kind: 'handOver' }), never);
    writeFileSync(store.layout.intakeDisk(name), content, { flag: 'r+' });
    const source = { kind: 'handOver', sizeBytes: content.length, isWritten: true } as const;
    const verifying = () => store.images.verify(us, image({ source }), never);
    await verifying();
    const disk = await openIntake(store.layout, name, vm);
    writeFileSync(disk, Buffer.alloc(1), { flag: 'r+' });
    await expect(verifying()).rejects.toMatchObject({ context: { objection: 'DigestMismatch' } });
  });

  test('that has become an Image is lent to nobody', async () => {
    const whole = { ...intake({ kind: 'handOver' }) };
    await intakes.create(us, whole, never);
    writeFileSync(store.layout.intakeDisk(name), content, { flag: 'r+' });
    await importing({ source: { kind: 'handOver', sizeBytes: content.length, isWritten: true } });
    await expect(openIntake(store.layout, name, vm)).rejects.toMatchObject({ code: 'Conflict' });
  });

  test('that somebody has cut short is no Image', async () => {
    await intakes.create(us, lent, never);
    truncateSync(store.layout.intakeDisk(name), 1000);
    await expect(importing(handedOver)).rejects.toMatchObject({ code: 'Refused' });
  });
});

test('what somebody else has put there is left alone', async () => {
  await intakes.create(us, intake(), never);
  const stranger = { ...us, installation: '00000000-0000-4000-8000-0000000000cc' as never };
  await expect(intakes.delete(stranger, name, never)).rejects.toMatchObject({ code: 'Conflict' });
  await expect(intakes.append(stranger, intake(), 0, content, never)).rejects.toMatchObject({
    code: 'Conflict',
  });
});

test('what a crash has left half made is made over', async () => {
  await intakes.create(us, intake(), never);
  const record = join(folder(), 'record.json');
  writeFileSync(record, readFileSync(record, 'utf8').replace('"ready"', '"creating"'));
  expect(await look()).toMatchObject({ state: 'creating' });
  await intakes.create(us, intake(), never);
  expect(await look()).toMatchObject({ state: 'ready' });
});
