/**
 * Bounded reads of regular files, whatever a path turns out to lead to: a pipe is not waited for, a
 * device is not opened, and no more is read than may be.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { type FileEntry, FileError, type FileFacts, type FileKind } from '../runtime.ts';
import { whileDoing } from './file-error.ts';

/** What a file that has grown since it was looked at is read on by. */
const chunkBytes = 4096;

/** @param within a folder without links in its path */
export async function readFile(
  path: string,
  bytesMax: number,
  within?: string,
): Promise<Uint8Array> {
  return whileDoing(`reading ${path}`, async () => {
    // Before it is opened: opening some devices does something.
    if (!(await stat(path)).isFile()) throw notAFile(path);
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    const file = await open(path, flags);
    try {
      return await readOpened(file, path, bytesMax, within);
    } finally {
      await file.close();
    }
  });
}

async function readOpened(
  file: FileHandle,
  path: string,
  bytesMax: number,
  within: string | undefined,
): Promise<Uint8Array> {
  const stats = await file.stat();
  if (!stats.isFile()) throw notAFile(path);
  if (within !== undefined) await refuseOutside(file, path, within);
  if (stats.size > bytesMax) throw tooLarge(path, bytesMax);
  return readAll(file, path, bytesMax, Math.min(stats.size + 1, bytesMax + 1));
}

/** Asks where the open file is, so that no link can be put on the path in between. */
async function refuseOutside(file: FileHandle, path: string, within: string): Promise<void> {
  const real = await readlink(`/proc/self/fd/${file.fd}`);
  if (real.startsWith(`${within}/`)) return;
  throw new FileError('PermissionDenied', `${path} leads out of ${within}`);
}

async function readAll(
  file: FileHandle,
  path: string,
  bytesMax: number,
  firstBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let wanted = firstBytes; ; wanted = Math.min(chunkBytes, bytesMax + 1 - length)) {
    const chunk = new Uint8Array(wanted);
    const { bytesRead } = await file.read(chunk, 0, wanted, length);
    chunks.push(chunk.subarray(0, bytesRead));
    length += bytesRead;
    if (length > bytesMax) throw tooLarge(path, bytesMax);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
  }
}

export async function listFolder(path: string): Promise<readonly FileEntry[]> {
  const entries = await whileDoing(`listing ${path}`, () => readdir(path, { withFileTypes: true }));
  return entries
    .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function factsOf(path: string): Promise<FileFacts> {
  const stats = await whileDoing(`looking at ${path}`, () => stat(path, { bigint: true }));
  return {
    kind: kindOf(stats),
    bytes: Number(stats.size),
    identity: identityOf(stats),
    changedAt: Number(stats.ctimeNs) / 1e6,
  };
}

export async function resolvePath(path: string): Promise<string> {
  return whileDoing(`resolving ${path}`, () => realpath(path));
}

/** With the time of birth, as the number of an inode is given to another file at once. */
export function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function kindOf(kinds: Kinds): FileKind {
  if (kinds.isFile()) return 'file';
  if (kinds.isDirectory()) return 'folder';
  return kinds.isSymbolicLink() ? 'link' : 'other';
}

function notAFile(path: string): FileError {
  return new FileError('NotAFile', `${path} is not a file`);
}

function tooLarge(path: string, bytesMax: number): FileError {
  return new FileError('TooLarge', `${path} has more than ${bytesMax} bytes`);
}
