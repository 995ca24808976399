/**
 * The file that holds a disk's bytes: what its size is, how it begins and how it grows. Links are
 * never followed, and nothing but a regular file is ever opened for long. A file that guests write
 * is readable to nobody else, whatever the umask (libvirt's CVE-2025-13193 was an overlay at 0644).
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { DiskFormat, ImageFormat } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { type Objection, objection, refusal } from '../image-objection.ts';
import { parseQcow2Header, QCOW2_HEAD_BYTES, type Qcow2Header } from './qcow2-header.ts';
import { type ExpectedBacking, qcow2Objection } from './qcow2-rules.ts';
import { makeQcow2, type QemuImg } from './qemu-img.ts';

/** Does something with a regular file. @throws HostError `Refused` if it is anything else */
export async function withFile<T>(
  path: string,
  access: 'read' | 'write',
  use: (file: FileHandle, sizeBytes: number) => Promise<T>,
): Promise<T> {
  const mode = access === 'read' ? constants.O_RDONLY : constants.O_RDWR;
  // Without O_NONBLOCK a FIFO would hold us up for ever.
  const file = await open(path, mode | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new HostError('Refused', `${path} is not a regular file`);
    return await use(file, stats.size);
  } finally {
    await file.close();
  }
}

/** An empty file that nobody else can open. */
export async function makeEmpty(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.chmod(0o600);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** How much of the store the disk takes at most, now. */
export function fileSize(path: string): Promise<number> {
  return withFile(path, 'read', async (_, sizeBytes) => sizeBytes);
}

/** How large a disk the guest sees; of what is none, how long it is. */
export function diskSize(path: string, format: ImageFormat): Promise<number> {
  return withFile(path, 'read', async (file, sizeBytes) => {
    if (format !== 'qcow2') return sizeBytes;
    const { virtualBytes } = await headerOf(file, path);
    if (virtualBytes <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(virtualBytes);
    throw refusal(path, objection('BadGeometry', 'it says that it is absurdly large'));
  });
}

/** @throws HostError `Refused` if it needs anything but `backing`, or is not sound */
export function checkDisk(
  path: string,
  format: DiskFormat,
  backing: ExpectedBacking | null,
): Promise<void> {
  return withFile(path, 'read', async (file, sizeBytes) => {
    const found =
      format === 'raw'
        ? rawObjection(sizeBytes)
        : qcow2Objection(await headerOf(file, path), sizeBytes, backing);
    if (found !== null) throw refusal(path, found);
  });
}

/** A disk of nothing but zeroes, or one that differs nowhere yet from what it lies on. */
export async function makeDisk(
  path: string,
  format: DiskFormat,
  sizeBytes: number,
  backing: { readonly path: string; readonly format: DiskFormat } | null,
  signal: AbortSignal,
): Promise<void> {
  const file = await makeEmpty(path);
  try {
    if (format === 'raw') await file.truncate(sizeBytes);
    else await makeQcow2(path, sizeBytes, backing, signal);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @throws HostError `Refused` if it is larger already, or is no longer the disk that we made */
export async function growDisk(
  path: string,
  format: DiskFormat,
  sizeBytes: number,
  backing: ExpectedBacking | null,
  qemuImg: QemuImg,
  signal: AbortSignal,
): Promise<void> {
  const now = await diskSize(path, format);
  if (now === sizeBytes) return;
  if (now > sizeBytes) {
    throw new HostError('Refused', `${path} has ${now} bytes, and never shrinks to ${sizeBytes}`);
  }
  if (format === 'qcow2') {
    // Whoever broke out of the guest into QEMU could have had another header written.
    await checkDisk(path, format, backing);
    await qemuImg.resize(path, sizeBytes, signal);
  }
  await withFile(path, 'write', async (file) => {
    if (format === 'raw') await file.truncate(sizeBytes);
    await file.sync();
  });
}

/** Why so many bytes are no disk; null: they are. */
export function rawObjection(sizeBytes: number): Objection | null {
  if (sizeBytes === 0) return objection('BadGeometry', 'it is empty');
  if (sizeBytes % 512 === 0) return null;
  return objection('BadGeometry', `its ${sizeBytes} bytes end within a sector`);
}

/** @throws HostError `Refused` if it does not begin as a qcow2 */
export async function headerOf(file: FileHandle, path: string): Promise<Qcow2Header> {
  const head = Buffer.alloc(QCOW2_HEAD_BYTES);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const header = parseQcow2Header(head.subarray(0, bytesRead));
  if ('version' in header) return header;
  throw refusal(path, header);
}
