/** What the store makes of a Volume: how large it really is there, and whether it can be put there at all. */
import type { Observed } from '../model/domain.ts';
import type { Observation } from '../model/observation.ts';
import { formatSize } from '../model/sizes.ts';
import { roundedUp, type VolumeStore } from '../model/thin-pool.ts';
import type { ObservedVolume, Volume } from '../model/volume.ts';
import type { Block } from './change.ts';
import { looked } from './ownership.ts';

/** The size that it has where it is; of one that is not there, where it will be. */
export function asStored(
  volume: Volume,
  there: ObservedVolume | null,
  { volumeStore: store, volumes }: Observed,
): Volume {
  if (there?.state === 'ready') return rounded(volume, there.thin?.grainBytes ?? 1);
  if (volume.copyOf !== null) {
    const source = looked(volumes.get(volume.copyOf));
    // A copy of what is no raw file is a file too.
    if (source.status === 'present' && source.value.format !== 'raw') return volume;
  }
  return store.status === 'present' ? rounded(volume, store.value.grainBytes) : volume;
}

function rounded(volume: Volume, grainBytes: number): Volume {
  const sizeBytes = roundedUp(volume.sizeBytes, grainBytes);
  return sizeBytes === volume.sizeBytes ? volume : Object.freeze({ ...volume, sizeBytes });
}

/** What there is in the store for all that a plan puts there: each takes of what those before it have left. */
export interface StoreRoom {
  /** Why a new one cannot be put there; null: it can, and has its room. */
  create(volume: Volume): Block | null;
  /** The same of one that is to be larger. */
  grow(there: ObservedVolume, sizeBytes: number): Block | null;
}

export function storeRoom(store: Observation<VolumeStore>): StoreRoom {
  let freeBytes = store.status === 'present' ? store.value.freeBytes : null;
  const take = (bytes: number): Block | null => {
    if (store.status !== 'present') return storeUnknown(store);
    const { refusal } = store.value;
    if (refusal !== null) return { code: 'StoreFull', message: refusal };
    if (freeBytes === null) return null;
    if (bytes > freeBytes) {
      // How much is left says what others have.
      const message = `the host's thin pool has no room for it: it takes ${formatSize(bytes)} more`;
      return { code: 'StoreFull', message };
    }
    freeBytes -= bytes;
    return null;
  };
  return {
    create: (volume) => {
      const { format, origin, copyOf, sizeBytes } = volume;
      if (store.status !== 'present') return storeUnknown(store);
      const isRaw = format === 'raw' && origin?.provision !== 'Overlay';
      if (store.value.keeps === 'all' || isRaw) return take(sizeBytes);
      // As what it is a copy of is a file from before.
      if (copyOf !== null) return null;
      const message = `this host keeps Volumes as logical volumes, which are raw: say format: raw, and for an Image of format raw provision: Copy`;
      return { code: 'FormatNotKept', message };
    },
    // Files grow where they are.
    grow: (there, sizeBytes) =>
      there.thin === undefined || sizeBytes <= there.sizeBytes
        ? null
        : take(sizeBytes - there.sizeBytes),
  };
}

function storeUnknown(store: Exclude<Observation<VolumeStore>, { status: 'present' }>): Block {
  const why = store.status === 'unknown' ? store.why : 'there is none';
  return { code: 'HostUnknown', message: `the store of Volumes could not be looked at: ${why}` };
}
