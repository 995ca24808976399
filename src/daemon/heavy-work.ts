/** Work that moves an image's bytes keeps a disk busy for long: only so much of it at once. */
import { HostError } from '../host/host-error.ts';
import type { Host } from '../host/ports.ts';
import type { Slots } from './slots.ts';

export function withHeavySlots(host: Host, heavy: Slots): Host {
  const { images, volumes } = host;
  return {
    ...host,
    images: {
      ...images,
      import: (owner, image, signal) =>
        inSlot(heavy, signal, () => images.import(owner, image, signal)),
    },
    volumes: {
      ...volumes,
      create: (owner, volume, signal) =>
        inSlot(heavy, signal, () => volumes.create(owner, volume, signal)),
    },
  };
}

async function inSlot<T>(heavy: Slots, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const giveBack = await heavy.take(signal);
  if (giveBack === null) throw new HostError('Cancelled', 'waiting for other images to be copied');
  try {
    return await work();
  } finally {
    giveBack();
  }
}
