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
import { type Image, unpackedBytesMax } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import { objection, refusal } from '../image-objection.ts';
import { copyHashed, digestIn, digestOf } from './copy-disk.ts';
import { checkDisk, diskSize, headerOf, makeEmpty, rawObjection, withFile } from './disk-file.ts';
import {
  checkInformation,
  checkTables,
  inspectHeader,
  inspectInitrd,
  inspectKernel,
  inspectSignatures,
} from './image-inspection.ts';
import { judged } from './judged.ts';
import type { Qcow2Header } from './qcow2-header.ts';
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
    case 'raw': {
      const found = rawObjection(sizeBytes);
      if (found !== null) throw refusal(name, found);
      return checkSize(source, sizeBytes, declared);
    }
    case 'qcow2':
      return checkHeader(source, declared);
    case 'bzImage':
      return inspectKernel(name, file, sizeBytes);
    case 'initrd':
      return inspectInitrd(name, sizeBytes);
  }
}

/**
 * The same of all of them, for whoever would give something up for them. Who may still write to them can change them
 * after that: an Image is only made of what is looked into again, and what reads tables is only shown what nobody can change.
 * @throws HostError as `checkSource`
 */
export async function verifySource(
  source: ImageSource,
  declared: DeclaredImage,
  qemuImg: QemuImg,
  signal: AbortSignal,
): Promise<void> {
  const { name, file, sizeBytes, sealedPath } = source;
  await checkSource(source, declared);
  checkDigest(source, await digestIn(file, sizeBytes, signal), declared);
  if (declared.format !== 'qcow2' || sealedPath === null) return;
  const header = await headerOf(file, name);
  await checkTwice(name, header, { path: sealedPath, isPrivate: true }, qemuImg, signal);
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
  await checkTwice(name, header, { path: supplied, isPrivate: false }, qemuImg, signal);
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

/** By another reader of its header, which reads its tables too. */
async function checkTwice(
  name: string,
  header: Qcow2Header,
  { path, isPrivate }: { readonly path: string; readonly isPrivate: boolean },
  qemuImg: QemuImg,
  signal: AbortSignal,
): Promise<void> {
  const asked = <T>(ask: () => Promise<T>) => judged(name, 'qemu-img', ask);
  checkInformation(name, header, await asked(() => qemuImg.info(path, signal, isPrivate)));
  checkTables(name, await asked(() => qemuImg.check(path, signal, isPrivate)));
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
