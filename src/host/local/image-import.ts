/**
 * How an Image is made of bytes that somebody supplies, wherever they come from. They are hostile until
 * our own copy of them has been seen to be what the digest says, and to be of the declared format and
 * of no other.
 *
 * A raw one is that copy, and so is a kernel, whose header our own parser reads (kernel-header.ts), and an
 * initial RAM disk, of which no more is looked at than its length and that it is no image of a disk. A qcow2 never is what anybody runs on: our own parser reads its header,
 * `qemu-img` in a sandbox reads it again and all its tables, both have to say the same, and then the
 * sandbox writes what is on the disk into a new qcow2, whose header nobody but us has written. That is
 * a qcow2 and no raw file, so that Volumes lie on it as on those of older versions, which kept what
 * was supplied, and documents mean the same.
 */
import { type FileHandle, link, rm } from 'node:fs/promises';
import { type Image, isDiskFormat, unpackedBytesMax } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { objection, refusal } from '../image-objection.ts';
import { copyHashed, digestOf } from './copy-disk.ts';
import { checkDisk, diskSize, headerOf, makeEmpty, withFile } from './disk-file.ts';
import {
  checkInformation,
  checkTables,
  inspectHeader,
  inspectInitrd,
  inspectKernel,
  inspectSignatures,
} from './image-inspection.ts';
import { judged } from './judged.ts';
import type { QemuImg } from './qemu-img.ts';

/** Bytes for an Image, as they are now: whoever supplies them may still write to them. */
export interface ImageSource {
  /** For messages. */
  readonly name: string;
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** Where it is, if nobody can write to it any more; then its bytes take no room again. */
  readonly sealedPath: string | null;
}

/** What is said of them. */
export type DeclaredImage = Pick<Image, 'digest' | 'format' | 'virtualBytesMax'>;

export interface ImagePaths {
  /** What it becomes. */
  readonly made: string;
  /** Our copy of a qcow2 as supplied, until that is there. */
  readonly supplied: string;
}

/**
 * What can be said before all of it is copied.
 * @throws HostError `Refused`, with an `objection` in its context
 */
export async function checkSource(source: ImageSource, declared: DeclaredImage): Promise<void> {
  const { name, file, sizeBytes } = source;
  await inspectSignatures(name, file, sizeBytes, declared.format);
  switch (declared.format) {
    case 'raw':
      return checkSize(source, sizeBytes, declared);
    case 'qcow2':
      return checkHeader(source, declared);
    case 'bzImage':
      return inspectKernel(name, file, sizeBytes);
    case 'initrd':
      return inspectInitrd(name, sizeBytes);
  }
}

/** @param paths of which there is nothing yet. @throws HostError as `checkSource` */
export async function makeImage(
  source: ImageSource,
  declared: DeclaredImage,
  paths: ImagePaths,
  qemuImg: QemuImg,
  signal: AbortSignal,
): Promise<void> {
  if (declared.format === 'qcow2') await makeQcow2(source, declared, paths, qemuImg, signal);
  else await makeAsSupplied(source, declared, paths.made, signal);
  await withFile(paths.made, 'read', async (file) => {
    await file.chmod(0o444);
    await file.sync();
  });
}

async function makeAsSupplied(
  source: ImageSource,
  declared: DeclaredImage,
  made: string,
  signal: AbortSignal,
): Promise<void> {
  checkDigest(source, await copyAs(source, made, signal), declared);
  await withFile(made, 'read', (file, sizeBytes) =>
    checkSource({ ...source, file, sizeBytes }, declared),
  );
  if (isDiskFormat(declared.format)) await checkDisk(made, declared.format, null);
}

async function makeQcow2(
  source: ImageSource,
  declared: DeclaredImage,
  { made: disk, supplied }: ImagePaths,
  qemuImg: QemuImg,
  signal: AbortSignal,
): Promise<void> {
  checkDigest(source, await copyAs(source, supplied, signal), declared);
  const header = await withFile(supplied, 'read', async (file, sizeBytes) => {
    const copy = { ...source, file, sizeBytes };
    await checkSource(copy, declared);
    // The sandbox is nobody.
    await file.chmod(0o444);
    return headerOf(file, source.name);
  });
  const { name } = source;
  checkInformation(
    name,
    header,
    await judged(name, 'qemu-img', () => qemuImg.info(supplied, signal)),
  );
  checkTables(name, await judged(name, 'qemu-img', () => qemuImg.check(supplied, signal)));
  const virtualBytes = Number(header.virtualBytes);
  await (await makeEmpty(disk)).close();
  await flatten(source, { made: disk, supplied }, unpackedBytesMax(virtualBytes), qemuImg, signal);
  await checkDisk(disk, 'qcow2', null);
  const madeBytes = await diskSize(disk, 'qcow2');
  if (madeBytes !== virtualBytes) {
    const message = `${source.name} has become a disk of ${madeBytes} bytes, and not ${virtualBytes}`;
    throw new HostError('Protocol', message);
  }
  await rm(supplied);
}

/** All of it has been looked into by now: what fails is the host, for want of room as a rule. */
async function flatten(
  { name }: ImageSource,
  { made: disk, supplied }: ImagePaths,
  bytesMax: number,
  qemuImg: QemuImg,
  signal: AbortSignal,
): Promise<void> {
  try {
    await qemuImg.flatten(supplied, disk, bytesMax, signal);
  } catch (error) {
    if (!(error instanceof HostError) || !('limit' in error.context)) throw error;
    throw refusal(name, objection('OverLimits', 'writing it out takes too much'), error);
  }
}

async function copyAs(
  { file, sizeBytes, sealedPath }: ImageSource,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  if (sealedPath === null) return copyHashed(file, sizeBytes, path, signal);
  await link(sealedPath, path);
  return digestOf(path, signal);
}

async function checkHeader(source: ImageSource, declared: DeclaredImage): Promise<void> {
  const header = await headerOf(source.file, source.name);
  await inspectHeader(source.name, source.file, source.sizeBytes, header);
  checkSize(source, Number(header.virtualBytes), declared);
}

function checkDigest({ name }: ImageSource, digest: string, declared: DeclaredImage): void {
  if (digest === declared.digest) return;
  throw refusal(name, objection('DigestMismatch', `it is ${digest}, and not ${declared.digest}`));
}

function checkSize(
  { name }: ImageSource,
  sizeBytes: number,
  { virtualBytesMax }: DeclaredImage,
): void {
  if (virtualBytesMax === null || sizeBytes <= virtualBytesMax) return;
  const words = `it is a disk of ${sizeBytes} bytes, and may have ${virtualBytesMax}`;
  throw refusal(name, objection('TooLarge', words));
}
