/**
 * A partition's store: `STATE/PARTITION/files/NAME`. Names come from documents and are one path
 * component by their type; links are not followed, so a name never leaves its folder.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartitionName } from '../../model/names.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import type { StoreReader } from '../ports.ts';
import { hasErrno, ioError } from './io-error.ts';
import { cataloguePath } from './layout.ts';

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
    return stats.isFile() ? present(stats.size) : unknown(`${path} is not a regular file`);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return absent;
    throw ioError(`looking at ${path}`, error);
  }
}
