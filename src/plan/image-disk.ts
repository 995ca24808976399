/**
 * The operations for the image disk. It is taken from its guest only for an Image that the guest has let go of
 * it for, or once no document speaks of it; what else there is to do to it waits until nobody has it anyway. It
 * is given back by the same plan, whatever becomes of the rest.
 */
import type { Block, ImageChange, ImageDiskChange } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import {
  type Given,
  givenBeyond,
  givenBytes,
  imageDiskBytesMin,
  type ImageDiskWork,
  movedBy,
  sameGiven,
} from '../model/image-disk.ts';
import type { DomainRef } from '../model/domain.ts';
import type { Image } from '../model/volume.ts';
import { Chain } from './chain.ts';
import { reasonsOfNone } from './reasons.ts';
import type { DeletionContext } from './steps.ts';
import { type OperationId, operationId } from './operation.ts';
import type { Steps } from './work.ts';

type Of<K extends ImageDiskChange['kind']> = Extract<ImageDiskChange, { kind: K }>;

export function imageDiskCreateSteps({ name, goal, remains, borrower }: Of<'create'>): Steps {
  const chain = new Chain('image-disk', name);
  if (remains?.state === 'deleting') chain.add('image-disk.delete', 'release', {});
  chain.add('image-disk.create', 'provision', { goal });
  if (borrower !== null) chain.add('primary.lend-image-disk', 'acquire', { primary: borrower });
  return {
    impact: borrower === null ? 'none' : 'live',
    reasons: [remains === null ? 'not-on-host' : 'half-made'],
    fields: [sizeField(null, goal.sizeBytes)],
    waiting: [],
    operations: chain.operations,
  };
}

/** @param images as this plan takes them */
export function imageDiskUpdateSteps(change: Of<'update'>, images: readonly ImageChange[]): Steps {
  const { name, observed, holder, borrower } = change;
  const chain = new Chain('image-disk', name);
  const taken = takenOff(images);
  const work = change.held === null ? workOn(change, taken) : null;
  const isTaken = holder !== null && (taken.length > 0 || isElsewhere(holder, borrower));
  const isFree = holder === null || isTaken;
  if (isTaken) chain.add('primary.take-image-disk', 'release', { primary: holder });
  const first = chain.operations.map(({ id }) => id);
  if (work !== null && isFree) {
    const after = [...first, ...importsOf(taken)];
    chain.addAfter(after, 'image-disk.rework', name, 'provision', { work });
  }
  // Of what fails meanwhile it waits for nothing.
  if (borrower !== null && isFree) {
    chain.addAfter(first, 'primary.lend-image-disk', name, 'acquire', { primary: borrower });
  }
  const isResized = work !== null && work.sizeBytes !== observed.sizeBytes;
  const sizeFields = isResized ? [sizeField(observed.sizeBytes, work.sizeBytes)] : [];
  return {
    impact: borrower === null && holder === null ? 'none' : 'live',
    reasons: reasonsOf(chain, taken.length > 0 || work !== null),
    fields: isFree ? sizeFields : [],
    waiting: isFree ? [] : sizeFields,
    operations: chain.operations,
  };
}

/** Why what there is to be done to it is not done; null: it is, or there is nothing. */
export function heldWork(change: Of<'update'>): Block | null {
  return workOn(change, []) === null ? null : change.held;
}

/** With who was the Primary before. */
function isElsewhere(holder: DomainRef, borrower: DomainRef | null): boolean {
  return borrower !== null && holder.uuid !== borrower.uuid;
}

export function imageDiskDeleteSteps(
  { name, observed, holder }: Of<'delete'>,
  context: DeletionContext,
): Steps {
  const chain = new Chain('image-disk', name);
  if (holder !== null) chain.add('primary.take-image-disk', 'release', { primary: holder });
  chain.add('image-disk.delete', 'release', {});
  const isReady = observed.state === 'ready';
  return {
    impact: isReady ? 'destroys-data' : 'none',
    reasons: isReady ? reasonsOfNone(context) : ['half-made'],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

/** The Images whose files this plan takes off the disk. What is in its intake already is no reason to take the disk for a copy. */
function takenOff(images: readonly ImageChange[]): readonly Image[] {
  return images.flatMap((change) => {
    if (change.kind !== 'create') return [];
    const { image, path } = change;
    return path !== null || movedBy(image.source) !== null ? [image] : [];
  });
}

/** What is to become of it while nobody has it; null: nothing. */
function workOn(
  { observed, fullBytes, owed }: Of<'update'>,
  taken: readonly Image[],
): ImageDiskWork | null {
  const moved = taken.flatMap((image): Given[] => {
    const from = movedBy(image.source);
    return from === null ? [] : [{ image: image.name, digest: image.digest, ...from }];
  });
  const given = [...owed, ...givenBeyond(moved, owed)];
  const sizeBytes = fullBytes - givenBytes(given);
  // A sparse file may be said to be longer than the disk that it is on: then the disk stays as it is.
  if (sizeBytes < imageDiskBytesMin) return null;
  // What a guest has had since may be another file of that name.
  const left = owed.filter(({ path }) => observed.takenOut.includes(path));
  const removed = [...new Set([...moved, ...left].map(({ path }) => path))];
  const isSo =
    removed.length === 0 &&
    observed.sizeBytes === sizeBytes &&
    observed.heldBytes === sizeBytes &&
    sameGiven(observed.given, given);
  return isSo ? null : { sizeBytes, given, removed };
}

/** Nothing is given for what is not there in the end. */
function importsOf(taken: readonly Image[]): readonly OperationId[] {
  return taken.flatMap(({ name, source }) =>
    movedBy(source) === null ? [] : [operationId('image.import', name)],
  );
}

function reasonsOf({ operations }: Chain, isWorkedOn: boolean): Steps['reasons'] {
  if (operations.length === 0) return [];
  return [isWorkedOn ? 'images-taken' : 'not-lent'];
}

function sizeField(from: number | null, to: number): FieldChange {
  const path = 'spec.primary.imageDisk.size';
  return { field: 'sizeBytes', path, from, to, impact: 'none', origin: 'document' };
}
