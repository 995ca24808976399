/** Work that moves an image's bytes keeps a disk busy for long: only so much of it at once. */
import { HostError } from '../host/host-error.ts';
import type { Host } from '../host/ports.ts';
import { inTurn } from './accepted/in-turn.ts';
import type { Slots } from './slots.ts';

/** One partition has at most one of the slots, so that none waits for all that another asks for. */
export function withHeavySlots(host: Host, slots: Slots): Host {
  const { images, volumes, imageDisks } = host;
  const own = inTurn();
  const inSlot = <T>(signal: AbortSignal, work: () => Promise<T>) =>
    own(() => workInSlot(slots, signal, work));
  return {
    ...host,
    images: {
      ...images,
      verify: (owner, image, signal) => inSlot(signal, () => images.verify(owner, image, signal)),
      import: (owner, image, signal) => inSlot(signal, () => images.import(owner, image, signal)),
    },
    imageDisks: {
      ...imageDisks,
      // Its guest waits for the disk: what cannot be done to it now is done another time.
      rework: (owner, work, signal) =>
        inFreeSlot(slots, () => imageDisks.rework(owner, work, signal)),
    },
    volumes: {
      ...volumes,
      // Of what begins empty nothing is moved.
      create: (owner, volume, signal) =>
        volume.origin === null && volume.copyOf === null
          ? volumes.create(owner, volume, signal)
          : inSlot(signal, () => volumes.create(owner, volume, signal)),
    },
  };
}

async function inFreeSlot<T>(heavy: Slots, work: () => Promise<T>): Promise<T> {
  const why = new HostError('Timeout', 'other images are being copied: it is done another time');
  return whileHad(heavy.takeFree(), why, work);
}

async function workInSlot<T>(
  heavy: Slots,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const why = new HostError('Cancelled', 'waiting for other images to be copied');
  return whileHad(await heavy.take(signal), why, work);
}

/** @param giveBack null: there is none, and why. */
async function whileHad<T>(
  giveBack: (() => void) | null,
  why: HostError,
  work: () => Promise<T>,
): Promise<T> {
  if (giveBack === null) throw why;
  try {
    return await work();
  } finally {
    giveBack();
  }
}
