/**
 * Intakes: where the bytes of Images come in that their Primary supplies. One is there from when its Image
 * is asked for until that has its bytes, and is its room, and nobody else's, for as long.
 */
import type { DomainRef, Observed } from '../model/domain.ts';
import {
  type Intake,
  intakeOf,
  isFor,
  lentDisk,
  lentImageDisk,
  type ObservedIntake,
} from '../model/intake.ts';
import { byName, type ImageName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { type Image, type IntakeSource, isOfImage } from '../model/volume.ts';
import { holderOf, runningPrimary } from './borrower.ts';
import type {
  Block,
  BlockCode,
  ImageChange,
  ImageDiskChange,
  IntakeChange,
  Lent,
} from './change.ts';
import { imageDiskBlock } from './image-disk.ts';
import { blocked, foreignBlock, looked, partBlocked } from './ownership.ts';

/** Where the bytes of an Image are. */
export type Sourced =
  | { readonly status: 'ready'; readonly intake: Lent | null }
  | { readonly status: 'blocked'; readonly block: Block };

export function refusal(code: BlockCode, message: string): Sourced {
  return { status: 'blocked', block: { code, message } };
}

/**
 * What an Image waits for that has to come in, or where all of it is.
 * @param offDisk why nothing is taken off the image disk; null: it can be
 */
export function handedIn(
  image: Image,
  source: IntakeSource,
  observed: Observed,
  offDisk: Block | null,
): Sourced {
  const { name } = image;
  const seen = looked(observed.intakes.get(name));
  if (seen.status === 'unknown') return refusal('HostUnknown', seen.why);
  const intake = intakeOf(image);
  const isThere =
    seen.status === 'present' &&
    intake !== null &&
    isUsable(intake, seen.value) &&
    foreignBlock(`the intake of Image ${name}`, seen.value.owner, observed) === null;
  if (!isThere) {
    const message =
      source.kind === 'url'
        ? 'there is no room for it yet'
        : 'its Primary has not begun to hand it in';
    return refusal('AwaitingBytes', message);
  }
  switch (source.kind) {
    case 'upload': {
      const { receivedBytes, sizeBytes } = seen.value;
      if (receivedBytes === sizeBytes) return { status: 'ready', intake: lent(seen.value, null) };
      const message = `${receivedBytes} of ${sizeBytes} bytes have been uploaded (unnest upload ${name} FILE)`;
      return refusal('AwaitingBytes', message);
    }
    case 'url': {
      const { receivedBytes, sizeBytes } = seen.value;
      if (receivedBytes === sizeBytes) return { status: 'ready', intake: lent(seen.value, null) };
      const message = `${receivedBytes} of ${sizeBytes} bytes have been fetched, which unnestd does`;
      return refusal('Fetching', message);
    }
    case 'handOver': {
      const { serial } = lentDisk(observed, name);
      if (!source.isWritten) {
        const message = `its Primary is to write it to /dev/disk/by-id/virtio-${serial} (unnest hand-over ${name} FILE)`;
        return refusal('AwaitingBytes', message);
      }
      if (observed.primary.status === 'unknown') {
        return refusal('HostUnknown', observed.primary.why);
      }
      return { status: 'ready', intake: lent(seen.value, borrowerOf(seen.value, observed)) };
    }
    case 'imageDisk': {
      if (offDisk !== null) return { status: 'blocked', block: offDisk };
      if (source.isWritten) return { status: 'ready', intake: lent(seen.value, null) };
      const { serial } = lentImageDisk(observed);
      const message = `its Primary is to write it to ${source.path} on /dev/disk/by-id/virtio-${serial}, to unmount that, and to say so (unnest hand-over ${name})`;
      return refusal('AwaitingBytes', message);
    }
  }
}

/** One whose bytes are an Image's by now is none of anything else. */
function isUsable(intake: Intake, seen: ObservedIntake): boolean {
  return seen.state === 'ready' && seen.heldBytes > 0 && isFor(intake, seen);
}

function lent(observed: ObservedIntake, borrower: DomainRef | null): Lent {
  return { observed, borrower };
}

function borrowerOf({ name, lentTo }: ObservedIntake, observed: Observed): DomainRef | null {
  return holderOf(lentDisk(observed, name).alias, lentTo, observed);
}

/** @param images as they are to be: one that takes its bytes sees to its intake itself */
export function diffIntakes(
  desired: DesiredState,
  observed: Observed,
  imageDisk: ImageDiskChange | null,
  images: readonly ImageChange[],
): readonly IntakeChange[] {
  const taking = new Set(
    images.flatMap((change) =>
      change.kind === 'create' && change.intake !== null ? [change.name] : [],
    ),
  );
  const names = new Set([...desired.images.keys(), ...observed.intakes.keys()]);
  return [...names].sort(byName).flatMap((name) => {
    if (taking.has(name)) return [];
    const image = desired.images.get(name);
    const intake = image === undefined || !comesIn(image, observed) ? null : intakeOf(image);
    if (image === undefined || intake === null) return unwanted(name, observed);
    return wanted(image, intake, blockOf(image.source, desired, observed, imageDisk), observed);
  });
}

/** What is not to be had gets no room. */
function comesIn(image: Image, observed: Observed): boolean {
  const { source } = image;
  return !isKept(image, observed) && (source.kind !== 'url' || source.isAllowed);
}

function isKept(image: Image, { images }: Observed): boolean {
  const seen = images.get(image.name);
  return seen?.status === 'present' && seen.value.state === 'ready' && isOfImage(image, seen.value);
}

/** What keeps an Image's bytes from coming in keeps it from being had. */
export function awaitingIntakes(
  images: readonly ImageChange[],
  intakes: readonly IntakeChange[],
): readonly ImageChange[] {
  const blocks = new Map(
    intakes.flatMap((each) => (each.kind === 'blocked' ? [[each.name, each.block] as const] : [])),
  );
  return images.map((change): ImageChange => {
    const block = blocks.get(change.name);
    if (change.kind !== 'blocked' || block === undefined) return change;
    if (change.block.code !== 'AwaitingBytes' || block.code === 'AwaitingBytes') return change;
    return { kind: 'blocked', name: change.name, block: partBlocked('its intake', block) };
  });
}

function unwanted(name: ImageName, observed: Observed): IntakeChange[] {
  const seen = looked(observed.intakes.get(name));
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [blocked(name, 'HostUnknown', seen.why)];
  if (foreignBlock(`the intake of Image ${name}`, seen.value.owner, observed) !== null) return [];
  if (observed.primary.status === 'unknown') {
    return [blocked(name, 'HostUnknown', observed.primary.why)];
  }
  return [{ kind: 'delete', name, ...lent(seen.value, borrowerOf(seen.value, observed)) }];
}

function wanted(
  { name, source }: Image,
  intake: Intake,
  block: Block | null,
  observed: Observed,
): IntakeChange[] {
  const seen = looked(observed.intakes.get(name));
  if (seen.status === 'unknown') return [blocked(name, 'HostUnknown', seen.why)];
  const there = seen.status === 'present' ? seen.value : null;
  if (there !== null) {
    const foreign = foreignBlock(`the intake of Image ${name}`, there.owner, observed);
    if (foreign !== null) return [{ kind: 'blocked', name, block: foreign }];
  }
  if (block !== null) return [{ kind: 'blocked', name, block }];
  const isThere = there !== null && isUsable(intake, there);
  const isWritten = source.kind === 'handOver' && source.isWritten;
  const reader = source.kind === 'handOver' && !isWritten ? runningPrimary(observed) : null;
  if (isThere) {
    const has = borrowerOf(there, observed);
    const isLent = has !== null && has.uuid === reader?.uuid;
    const from = has === null || isLent ? null : has;
    return [{ kind: 'update', name, observed: there, borrower: isLent ? null : reader, from }];
  }
  // Nobody can have written what nobody was lent.
  if (isWritten) {
    const message = 'there is no disk yet that could have been written: say written: false first';
    return [blocked(name, 'AwaitingBytes', message)];
  }
  const remains = there === null ? null : lent(there, borrowerOf(there, observed));
  return [{ kind: 'create', name, intake, remains, borrower: reader }];
}

/** Why its bytes cannot come in; null: they can. */
function blockOf(
  { kind }: Image['source'],
  desired: DesiredState,
  observed: Observed,
  imageDisk: ImageDiskChange | null,
): Block | null {
  if (kind === 'handOver') return lendingBlock(desired, observed);
  return kind === 'imageDisk' ? imageDiskBlock(desired, imageDisk) : null;
}

/** Why no disk can be lent to the Primary; null: one can. */
function lendingBlock({ primary }: DesiredState, observed: Observed): Block | null {
  if (primary === null || primary === 'unspoken') {
    const message = 'the partition has no Primary that could be lent a disk';
    return { code: 'PrimaryMissing', message };
  }
  if (!primary.grants.includes('handOver')) {
    const message =
      'the operator does not let its Primary be lent disks (handOver in primary.grants)';
    return { code: 'NotAllowed', message };
  }
  const { domainName } = primary;
  if (observed.primary.status === 'unknown') {
    return { code: 'HostUnknown', message: observed.primary.why };
  }
  if (observed.primary.status === 'present') return null;
  return { code: 'PrimaryMissing', message: `the host has no domain "${domainName}"` };
}
