/**
 * The image disk: an extra disk of the Primary's, an ext4 of which the host takes files that become Images.
 * A file that is moved makes the disk smaller by as much, so that the two together take what the disk alone
 * took; when its Image is gone the disk grows again. What it gave for which Image is written down with it.
 */
import type { DomainRef } from './domain.ts';
import type { PartitionOwner } from './identity.ts';
import type { ImageName } from './names.ts';
import type { ImageSource, Moved, StoredState } from './volume.ts';

/** What the disk has given, and for which bytes. */
export interface Given extends Moved {
  readonly image: ImageName;
  readonly digest: string;
}

export interface ObservedImageDisk {
  /** Null: there is something in its place that has no record, so it is not ours. */
  readonly owner: PartitionOwner | null;
  readonly state: StoredState;
  /** As large as its guest sees it. */
  readonly sizeBytes: number;
  /** What it takes of the store: while it is made larger or smaller there are two of it. */
  readonly heldBytes: number;
  readonly given: readonly Given[];
  /** Which of its files were read for an Image since a guest had it: they are still the same. */
  readonly takenOut: readonly string[];
  /** Who had it last, and may have it still; null: nobody had. */
  readonly lentTo: DomainRef | null;
}

/** As it is to be made. */
export interface ImageDiskGoal {
  readonly sizeBytes: number;
  readonly given: readonly Given[];
}

/** What there is to be done to it besides: these files go. */
export interface ImageDiskWork extends ImageDiskGoal {
  readonly removed: readonly string[];
}

/** A file on it, from its root: names of plain characters, none of which is hidden, or leads up. */
export const IMAGE_DISK_PATH =
  /^(?=.{1,255}$)[A-Za-z0-9_][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/;

/** Of its file system, and so what it grows and shrinks by. */
export const BLOCK_BYTES = 4096;

/** Below it there is hardly room for a file system. */
export const imageDiskBytesMin = 16 * 2 ** 20;

/** What an Image of this source gives of the disk, in whole blocks: its file takes no less. */
export function movedBy(source: ImageSource): Moved | null {
  if (source.kind !== 'imageDisk' || source.taking === 'copy') return null;
  const { path, sizeBytes } = source;
  return { path, sizeBytes: Math.floor(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES };
}

export function givenBytes(given: readonly Given[]): number {
  return given.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function sameGiven(a: readonly Given[], b: readonly Given[]): boolean {
  return a.length === b.length && a.every((each) => b.some((other) => isSameGiven(each, other)));
}

/** Those of the first that are not among the second. */
export function givenBeyond(a: readonly Given[], b: readonly Given[]): readonly Given[] {
  return a.filter((each) => !b.some((other) => isSameGiven(each, other)));
}

function isSameGiven(a: Given, b: Given): boolean {
  return a.image === b.image && a.digest === b.digest && a.sizeBytes === b.sizeBytes;
}
