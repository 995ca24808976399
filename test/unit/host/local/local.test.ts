import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localInstallation, newInstallationId } from '../../../../src/host/local/installation.ts';
import { lockPartition } from '../../../../src/host/local/lock.ts';
import { localStore } from '../../../../src/host/local/store.ts';
import type { FileName, PartitionName } from '../../../../src/model/names.ts';
import { partition } from '../../../support/passes.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-local-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the installation id', () => {
  test('is recorded once, by whoever comes first', async () => {
    const installation = localInstallation(join(dir, 'new', 'state'));
    expect(await installation.read()).toBeNull();
    const [first, second] = [newInstallationId(), newInstallationId()];
    const results = await Promise.allSettled([
      installation.record(first),
      installation.record(second),
    ]);
    const won = results[0].status === 'fulfilled' ? first : second;
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await installation.read()).toBe(won);
    expect(await installation.record(won)).toBe('already');
    expect(readdirSync(join(dir, 'new', 'state'))).toEqual(['installation.id']);
  });

  test('that was spoilt is not replaced by a new one', async () => {
    writeFileSync(join(dir, 'installation.id'), 'not a uuid');
    await expect(localInstallation(dir).read()).rejects.toMatchObject({ code: 'Protocol' });
  });
});

describe('the store', () => {
  test('knows regular files of its own folder, and nothing else', async () => {
    const files = join(dir, partition, 'files');
    mkdirSync(join(files, 'folder'), { recursive: true });
    writeFileSync(join(files, 'vmlinuz'), '12345');
    symlinkSync('/etc/passwd', join(files, 'link'));
    const size = (name: string) => localStore(dir).size(partition, name as FileName);
    expect(await size('vmlinuz')).toEqual({ status: 'present', value: 5 });
    expect(await size('nosuch')).toEqual({ status: 'absent' });
    expect(await size('link')).toMatchObject({ status: 'unknown' });
    expect(await size('folder')).toMatchObject({ status: 'unknown' });
  });

  test('knows what a qcow2 says that it is unpacked to', async () => {
    const files = join(dir, partition, 'files');
    mkdirSync(files, { recursive: true });
    const path = join(files, 'image');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G']);
    const size = await localStore(dir).size(partition, 'image' as FileName);
    const bytes = statSync(path).size + 2 ** 30;
    expect(size).toMatchObject({ status: 'present' });
    expect(size.status === 'present' && size.value).toBeGreaterThan(bytes);
    expect(size.status === 'present' && size.value).toBeLessThan(bytes + 8 * 2 ** 20);
  });
});

describe('the lock of a partition', () => {
  test('is held by one at a time, in one state directory', async () => {
    const lock = await lockPartition(dir, partition);
    await expect(lockPartition(dir, partition)).rejects.toMatchObject({ code: 'Conflict' });
    const others = [
      lockPartition(dir, 'other' as PartitionName),
      lockPartition(`${dir}/x`, partition),
    ];
    for (const other of await Promise.all(others)) await other.release();
    await lock.release();
    await (await lockPartition(dir, partition)).release();
  });
});
