/** What the store makes of a Volume: how large it really is there, and whether it can be put there at all. */
import type { Observed } from '../model/domain.ts';
import { roundedUp } from '../model/thin-pool.ts';
import type { ObservedVolume, Volume } from '../model/volume.ts';
import type { Block } from './change.ts';
import { looked } from './ownership.ts';

/** The size that it has where it is; of one that is not there, where it will be. */
export function asStored(volume: Volume, there: ObservedVolume | null, observed: Observed): Volume {
  if (there?.state === 'ready') return rounded(volume, there.thin?.grainBytes ?? 1);
  const source = sourceOf(volume, observed);
  // A copy of what is no raw file is a file too.
  if (source !== null && source.format !== 'raw') return volume;
  const { volumeStore: store } = observed;
  return store.status === 'present' ? rounded(volume, store.value.grainBytes) : volume;
}

function rounded(volume: Volume, grainBytes: number): Volume {
  const sizeBytes = roundedUp(volume.sizeBytes, grainBytes);
  return sizeBytes === volume.sizeBytes ? volume : Object.freeze({ ...volume, sizeBytes });
}

function sourceOf({ copyOf }: Volume, { volumes }: Observed): ObservedVolume | null {
  const source = copyOf === null ? null : looked(volumes.get(copyOf));
  return source?.status === 'present' ? source.value : null;
}

/** Why a new one cannot be put there, whatever room there is; null: it can. */
export function formBlock(volume: Volume, observed: Observed): Block | null {
  const { volumeStore: store } = observed;
  if (store.status !== 'present') {
    const why = store.status === 'unknown' ? store.why : 'there is none';
    const message = `the store of Volumes could not be looked at: ${why}`;
    return { code: 'HostUnknown', message };
  }
  const { thin } = sourceOf(volume, observed) ?? {};
  if (thin !== undefined && thin.pool !== store.value.pool) {
    const message = `Volume ${volume.copyOf} is in thin pool ${thin.pool}, and new ones are put elsewhere`;
    return { code: 'FormatNotKept', message };
  }
  if (store.value.keeps === 'all' || isRaw(volume) || volume.copyOf !== null) return null;
  const message = `this host keeps Volumes as logical volumes, which are raw: say format: raw, and for an Image of format raw provision: Copy`;
  return { code: 'FormatNotKept', message };
}

/** All that a thin pool can keep. */
export function isRaw({ format, origin }: Volume): boolean {
  return format === 'raw' && origin?.provision !== 'Overlay';
}
