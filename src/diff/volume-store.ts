/** What the store makes of a Volume: how large it really is there, and whether it can be put there at all. */
import type { Observation } from '../model/observation.ts';
import { formatSize } from '../model/sizes.ts';
import { roundedUp, type VolumeStore } from '../model/thin-pool.ts';
import type { ObservedVolume, Volume } from '../model/volume.ts';
import type { Block } from './change.ts';

/**
 * The size that it has there. One that has what its document says is as it should be, whatever new ones are rounded
 * to: it may have been made before there was another store.
 */
export function asStored(
  volume: Volume,
  there: ObservedVolume | null,
  store: Observation<VolumeStore>,
): Volume {
  if (store.status !== 'present' || there?.sizeBytes === volume.sizeBytes) return volume;
  const sizeBytes = roundedUp(volume.sizeBytes, store.value);
  return sizeBytes === volume.sizeBytes ? volume : Object.freeze({ ...volume, sizeBytes });
}

/** Why a new one cannot be put there; null: it can. */
export function creationBlock(volume: Volume, store: Observation<VolumeStore>): Block | null {
  if (store.status !== 'present') return storeUnknown(store);
  const { format, origin, copyOf } = volume;
  const isRaw = format === 'raw' && origin?.provision !== 'Overlay';
  // A copy is where its source is, and of its format.
  if (store.value.keeps === 'raw' && !isRaw && copyOf === null) {
    const message = `this host keeps Volumes as logical volumes, which are raw: say format: raw, and for an Image of format raw provision: Copy`;
    return { code: 'FormatNotKept', message };
  }
  return roomBlock(volume.sizeBytes, store.value);
}

/** The same of one that is to be larger. */
export function growthBlock(moreBytes: number, store: Observation<VolumeStore>): Block | null {
  if (store.status !== 'present') return storeUnknown(store);
  return roomBlock(moreBytes, store.value);
}

function roomBlock(bytes: number, { refusal, freeBytes }: VolumeStore): Block | null {
  if (refusal !== null) return { code: 'StoreFull', message: refusal };
  if (freeBytes === null || bytes <= freeBytes) return null;
  // How much is left says what others have.
  const message = `the host's thin pool has no room for it: it takes ${formatSize(bytes)} more`;
  return { code: 'StoreFull', message };
}

function storeUnknown(store: Exclude<Observation<VolumeStore>, { status: 'present' }>): Block {
  const why = store.status === 'unknown' ? store.why : 'there is none';
  return { code: 'HostUnknown', message: `the store of Volumes could not be looked at: ${why}` };
}
