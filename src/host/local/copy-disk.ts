/**
 * Copies of disks. Where the file system can share the bytes (reflink) it is asked to; elsewhere
 * they are copied, without what is only zeroes, and so that it can be given up half-way.
 */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { goOn } from './attempt.ts';
import { makeEmpty, withFile } from './disk-file.ts';

/** Small enough to find what is only zeroes, large enough to be read in no time. */
const chunkBytes = 256 * 2 ** 10;
const zeroes = Buffer.alloc(chunkBytes);

/** Of as many bytes as the file has now. @param to does not exist; nobody else can open it */
export async function copyDisk(
  source: FileHandle,
  sizeBytes: number,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  if (await isShared(source, to)) return;
  const copy = await makeEmpty(to);
  try {
    await copyChunks(source, sizeBytes, copy, signal);
    await copy.sync();
  } finally {
    await copy.close();
  }
}

/**
 * As `copyDisk`, and not synced yet.
 * @returns `sha256:` and its digits, of the copy, whatever becomes of the file meanwhile
 */
export async function copyHashed(
  source: FileHandle,
  sizeBytes: number,
  to: string,
  signal: AbortSignal,
): Promise<string> {
  if (await isShared(source, to)) return digestOf(to, signal);
  const hash = createHash('sha256');
  const copy = await makeEmpty(to);
  try {
    await copyChunks(source, sizeBytes, copy, signal, (chunk) => hash.update(chunk));
  } finally {
    await copy.close();
  }
  return `sha256:${hash.digest('hex')}`;
}

/** `sha256:` and its digits, of what is on the disk. */
export function digestOf(path: string, signal: AbortSignal): Promise<string> {
  return withFile(path, 'read', (file, sizeBytes) => digestIn(file, sizeBytes, signal));
}

/** The same of a file that is open. */
export async function digestIn(
  file: FileHandle,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  await eachChunk(file, sizeBytes, signal, async (chunk) => {
    hash.update(chunk);
  });
  return `sha256:${hash.digest('hex')}`;
}

async function isShared(source: FileHandle, to: string): Promise<boolean> {
  try {
    // The descriptor and not its path: it is the file that was looked at.
    const mode = constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL;
    await copyFile(`/proc/self/fd/${source.fd}`, to, mode);
  } catch {
    await rm(to, { force: true });
    return false;
  }
  const copy = await open(to, 'r+');
  try {
    await copy.chmod(0o600);
    await copy.sync();
  } finally {
    await copy.close();
  }
  return true;
}

/** Onto what reads as zeroes, and is no smaller. Synced when this resolves. */
export async function writeDisk(
  source: FileHandle,
  sizeBytes: number,
  disk: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  await writeChunks(source, sizeBytes, disk, signal);
  await disk.sync();
}

async function copyChunks(
  source: FileHandle,
  sizeBytes: number,
  copy: FileHandle,
  signal: AbortSignal,
  see: (chunk: Buffer) => unknown = () => undefined,
): Promise<void> {
  await copy.truncate(await writeChunks(source, sizeBytes, copy, signal, see));
}

/** @returns how many bytes there were */
function writeChunks(
  source: FileHandle,
  sizeBytes: number,
  copy: FileHandle,
  signal: AbortSignal,
  see: (chunk: Buffer) => unknown = () => undefined,
): Promise<number> {
  return eachChunk(source, sizeBytes, signal, async (chunk, at) => {
    const isZero = chunk.equals(zeroes.subarray(0, chunk.length));
    const written = isZero ? undefined : writeAll(copy, chunk, at);
    // While it is being written.
    see(chunk);
    await written;
  });
}

/** @returns how many bytes there were: fewer, if the file has become shorter meanwhile */
async function eachChunk(
  file: FileHandle,
  sizeBytes: number,
  signal: AbortSignal,
  use: (chunk: Buffer, at: number) => Promise<void>,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let at = 0;
  while (at < sizeBytes) {
    goOn('reading a disk', signal);
    const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, sizeBytes - at), at);
    if (bytesRead === 0) break;
    await use(buffer.subarray(0, bytesRead), at);
    at += bytesRead;
  }
  return at;
}

async function writeAll(file: FileHandle, chunk: Buffer, at: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, at + done);
    done += bytesWritten;
  }
}
