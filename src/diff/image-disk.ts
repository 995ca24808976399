/**
 * The image disk: as large as the operator says, less what it has given for Images that are there. It is the
 * Primary's whenever that runs, but for as long as an Image is taken off it.
 */
import type { Observed } from '../model/domain.ts';
import {
  type Given,
  givenBytes,
  imageDiskBytesMin,
  type ObservedImageDisk,
} from '../model/image-disk.ts';
import { lentImageDisk } from '../model/intake.ts';
import type { DesiredState } from '../model/secondary.ts';
import { formatSize } from '../model/sizes.ts';
import { holderOf, runningPrimary } from './borrower.ts';
import type { Block, ImageDiskChange } from './change.ts';
import type { Held } from './held.ts';
import { blocked, foreignBlock, looked, partBlocked } from './ownership.ts';
import { readyImage } from './ready-image.ts';

export function diffImageDisk(
  { primary: wanted }: DesiredState,
  observed: Observed,
  held: Held,
): ImageDiskChange | null {
  // Whether there is to be one nobody says.
  if (wanted === 'unspoken') return null;
  const { partition: name } = observed;
  const fullBytes = wanted?.imageDiskBytes ?? null;
  const seen = looked(observed.imageDisk);
  if (seen.status === 'unknown') return blocked(name, 'HostUnknown', seen.why);
  const there = seen.status === 'present' ? seen.value : null;
  const foreign = there === null ? null : foreignBlock('the image disk', there.owner, observed);
  if (foreign !== null)
    return fullBytes === null ? null : { kind: 'blocked', name, block: foreign };
  if (there === null && fullBytes === null) return null;
  const { primary } = observed;
  if (primary.status === 'unknown') return blocked(name, 'HostUnknown', primary.why);
  if (fullBytes === null) {
    return there && { kind: 'delete', name, observed: there, holder: hasIt(there, observed) };
  }
  if (there?.state !== 'ready') return creation(fullBytes, there, observed);
  return {
    kind: 'update',
    name,
    observed: there,
    fullBytes,
    owed: owedIn(observed),
    holder: hasIt(there, observed),
    borrower: runningPrimary(observed),
    held: held.get(`image-disk/${name}`) ?? unreadBlock(observed),
  };
}

function creation(
  fullBytes: number,
  remains: ObservedImageDisk | null,
  observed: Observed,
): ImageDiskChange {
  const { partition: name } = observed;
  const unread = unreadBlock(observed);
  if (unread !== null) return { kind: 'blocked', name, block: unread };
  const given = owedIn(observed);
  const sizeBytes = fullBytes - givenBytes(given);
  if (sizeBytes < imageDiskBytesMin) {
    const message = `Images were moved off one of before, which leaves ${formatSize(Math.max(0, sizeBytes))} of it`;
    return blocked(name, 'ShrinkRefused', message);
  }
  const borrower = runningPrimary(observed);
  return { kind: 'create', name, goal: { sizeBytes, given }, remains, borrower };
}

function hasIt({ lentTo }: ObservedImageDisk, observed: Observed) {
  return holderOf(lentImageDisk(observed).alias, lentTo, observed);
}

/** What it has to have given: for every Image that was moved and is there. */
function owedIn(observed: Observed): readonly Given[] {
  return [...observed.images.keys()].flatMap((image) => {
    const there = readyImage(image, observed);
    if (there === null || there.moved === null) return [];
    return [{ image, digest: there.digest, ...there.moved }];
  });
}

/** What it has given for an Image that could not be read is not given back. */
function unreadBlock({ images, unlistedImages }: Observed): Block | null {
  if (unlistedImages !== null) return { code: 'HostUnknown', message: unlistedImages };
  for (const [name, seen] of images) {
    if (seen.status !== 'unknown') continue;
    const message = `Image ${name} may have been moved off it, and could not be read: ${seen.why}`;
    return { code: 'HostUnknown', message };
  }
  return null;
}

/** Why nothing is taken off it now; null: it can be. */
export function offDiskBlock(desired: DesiredState, change: ImageDiskChange | null): Block | null {
  if (change?.kind !== 'create') return imageDiskBlock(desired, change);
  return { code: 'AwaitingBytes', message: 'there is no image disk yet that it could be on' };
}

/** Why nothing can come in by it; null: it can, or could once it is there. */
export function imageDiskBlock(
  { primary }: DesiredState,
  change: ImageDiskChange | null,
): Block | null {
  if (primary === null || primary === 'unspoken') {
    const message = 'the partition has no Primary that could have an image disk';
    return { code: 'PrimaryMissing', message };
  }
  if (change === null || change.kind === 'delete') {
    const message =
      'the operator gives its Primary no image disk (imageDisk in its Partition, and in primary.grants)';
    return { code: 'NotAllowed', message };
  }
  if (change.kind === 'blocked') return partBlocked('the image disk', change.block);
  if (change.kind === 'create' || change.held === null) return null;
  return partBlocked('the image disk', change.held);
}
