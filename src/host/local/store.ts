/**
 * A partition's store: `STATE/PARTITION/files/NAME`. Names come from documents and are one path
 * component by their type; links are not followed, so a name never leaves its folder.
 */
import { type FileHandle, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartitionName } from '../../model/names.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import { unpackedBytesMax } from '../../model/volume.ts';
import type { StoreReader } from '../ports.ts';
import { withFile } from './disk-file.ts';
import { hasErrno, ioError } from './io-error.ts';
import { cataloguePath } from './layout.ts';
import { parseQcow2Header, QCOW2_HEAD_BYTES } from './qcow2-header.ts';

/** The folder that a partition's files are in. */
export function storePath(stateDir: string, partition: PartitionName): string {
  return join(stateDir, partition, 'files');
}

export function localStore(stateDir: string): StoreReader {
  return {
    size: (partition, file) => sizeOf(join(storePath(stateDir, partition), file)),
    catalogueSize: (file) => sizeOf(join(cataloguePath(stateDir), file)),
  };
}

async function sizeOf(path: string): ReturnType<StoreReader['size']> {
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) return unknown(`${path} is not a regular file`);
    return present(await withFile(path, 'read', importedBytes));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return absent;
    throw ioError(`looking at ${path}`, error);
  }
}

/**
 * A qcow2 is copied first and then written out anew, which takes what it says that it is at most. That
 * is a claim, and it is held to it.
 */
async function importedBytes(file: FileHandle, sizeBytes: number): Promise<number> {
  const head = Buffer.alloc(QCOW2_HEAD_BYTES);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const header = parseQcow2Header(head.subarray(0, bytesRead));
  if (!('version' in header)) return sizeBytes;
  const bytes = sizeBytes + unpackedBytesMax(Number(header.virtualBytes));
  return Math.min(bytes, Number.MAX_SAFE_INTEGER);
}
