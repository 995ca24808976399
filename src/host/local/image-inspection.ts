/** What an image has to be before anybody runs on it: by its first and last bytes, and by what `qemu-img` says. */
import type { FileHandle } from 'node:fs/promises';
import { BOOT_BYTES_MAX, type ImageFormat } from '../../model/volume.ts';
import { type Objection, objection, refusal } from '../image-objection.ts';
import { KERNEL_HEAD_BYTES, kernelObjection } from './kernel-header.ts';
import { signatureObjection, signaturePlaces } from './image-signatures.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { bombObjection, qcow2Objection } from './qcow2-rules.ts';
import type { ImageCheck, ImageInfo } from './qemu-img.ts';

/** @throws HostError `Refused` if it has the signature of another format */
export async function inspectSignatures(
  name: string,
  file: FileHandle,
  sizeBytes: number,
  declared: ImageFormat,
): Promise<void> {
  const { start, end } = signaturePlaces(sizeBytes);
  const found = signatureObjection(declared, {
    start: await bytesAt(file, start.at, start.bytes),
    end: await bytesAt(file, end.at, end.bytes),
  });
  if (found !== null) throw refusal(name, found);
}

/** @throws HostError `Refused` if it is no kernel that QEMU would load as one, and as nothing else */
export async function inspectKernel(
  name: string,
  file: FileHandle,
  sizeBytes: number,
): Promise<void> {
  const found =
    lengthObjection(sizeBytes, BOOT_BYTES_MAX.bzImage) ??
    kernelObjection(await bytesAt(file, 0, KERNEL_HEAD_BYTES), sizeBytes);
  if (found !== null) throw refusal(name, found);
}

/** What is in it only its kernel reads. @throws HostError `Refused` if it is empty, or longer than any kernel takes */
export function inspectInitrd(name: string, sizeBytes: number): void {
  const found = lengthObjection(sizeBytes, BOOT_BYTES_MAX.initrd);
  if (found !== null) throw refusal(name, found);
}

function lengthObjection(sizeBytes: number, bytesMax: number): Objection | null {
  if (sizeBytes === 0) return objection('BadGeometry', 'it is empty');
  if (sizeBytes <= bytesMax) return null;
  return objection('TooLarge', `it has ${sizeBytes} bytes, and may have ${bytesMax}`);
}

/** @throws HostError `Refused` if it needs anything, hides anything or is not worth its size */
export async function inspectHeader(
  name: string,
  file: FileHandle,
  sizeBytes: number,
  header: Qcow2Header,
): Promise<void> {
  const found = qcow2Objection(header, sizeBytes, null) ?? bombObjection(header, sizeBytes);
  if (found !== null) throw refusal(name, found);
  const { endsAt, clusterBits } = header;
  const rest = await bytesAt(file, endsAt, Math.max(0, 2 ** clusterBits - endsAt));
  if (rest.every((byte) => byte === 0)) return;
  const words = 'there is something behind its header that is not of it';
  throw refusal(name, objection('SeveralFormats', words));
}

/** @throws HostError `Refused` if the two have read different things */
export function checkInformation(name: string, header: Qcow2Header, info: ImageInfo): void {
  const specific = info['format-specific'];
  const data = specific?.data;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['format', 'qcow2', info.format],
    ['kind of format', 'qcow2', specific?.type],
    ['size', Number(header.virtualBytes), info['virtual-size']],
    ['size of clusters', 2 ** header.clusterBits, info['cluster-size']],
    ['version', header.version === 2 ? '0.10' : '1.1', data?.compat],
    ['size of refcounts', 2 ** header.refcountOrder, data?.['refcount-bits'] ?? 16],
    ['compression', compressions[header.compressionType], data?.['compression-type'] ?? 'zlib'],
    ['backing file', undefined, info['backing-filename'] ?? info['full-backing-filename']],
    ['external data file', undefined, data?.['data-file']],
    ['encryption', false, (info.encrypted ?? false) || data?.encrypt !== undefined],
    ['extended L2 entries', false, data?.['extended-l2'] ?? false],
    ['dirty bit', false, info['dirty-flag'] ?? false],
    ['corrupt bit', false, data?.corrupt ?? false],
    ['number of snapshots', 0, info.snapshots?.length ?? 0],
    ['number of bitmaps', 0, data?.bitmaps?.length ?? 0],
  ];
  const differing = pairs.find(([, ours, theirs]) => ours !== theirs);
  if (differing === undefined) return;
  const [what, ours, theirs] = differing;
  const words = `its ${what} is ${String(ours)} by its header, and ${String(theirs)} to qemu-img`;
  throw refusal(name, objection('Disagreement', words));
}

const compressions = ['zlib', 'zstd'];

/** Clusters that nothing refers to are lost with the old tables. @throws HostError `Refused` */
export function checkTables(name: string, check: ImageCheck): void {
  const { corruptions, 'check-errors': errors } = check;
  if (corruptions === 0 && errors === 0) return;
  const words = `qemu-img finds ${corruptions} contradictions and ${errors} errors in its tables`;
  throw refusal(name, objection('Corrupt', words));
}

async function bytesAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}
