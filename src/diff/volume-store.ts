/** What the store makes of a Volume: how large it really is there, and whether it can be put there at all. */
import type { Observed } from '../model/domain.ts';
import { formatSize } from '../model/sizes.ts';
import { roundedUp } from '../model/thin-pool.ts';
import type { ObservedVolume, Volume } from '../model/volume.ts';
import type { Block, VolumeChange } from './change.ts';
import { blocked, looked } from './ownership.ts';

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

/** Blocks what the store does not keep, or has no room for: each takes of what those before it have left. */
export function blockUnkept(
  changes: readonly VolumeChange[],
  observed: Observed,
): readonly VolumeChange[] {
  const room = roomIn(observed);
  return changes.map((change) => {
    const block = unkept(change, observed, room);
    return block === null ? change : blocked(change.name, block.code, block.message);
  });
}

type Room = (bytes: number) => Block | null;

function unkept(change: VolumeChange, observed: Observed, room: Room): Block | null {
  switch (change.kind) {
    case 'create':
      return formBlock(change.volume, observed) ?? room(bytesNew(change.volume, observed));
    case 'update': {
      const { thin, sizeBytes } = change.observed;
      const moreBytes = change.volume.sizeBytes - sizeBytes;
      // Files grow where they are, and so does what is in another pool.
      return moreBytes > 0 && thin !== undefined && thin.pool === poolOf(observed)
        ? room(moreBytes)
        : null;
    }
    case 'keep':
    case 'delete':
    case 'blocked':
      return null;
  }
}

function formBlock(volume: Volume, observed: Observed): Block | null {
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

function isRaw({ format, origin }: Volume): boolean {
  return format === 'raw' && origin?.provision !== 'Overlay';
}

/** A copy of what is no raw file is a file, from before there was a pool. */
function bytesNew(volume: Volume, observed: Observed): number {
  return poolOf(observed) === null || isRaw(volume) ? volume.sizeBytes : 0;
}

function poolOf({ volumeStore: store }: Observed): string | null {
  return store.status === 'present' ? store.value.pool : null;
}

function roomIn({ volumeStore: store }: Observed): Room {
  const { freeBytes = null, refusal = null } = store.status === 'present' ? store.value : {};
  let leftBytes = freeBytes;
  return (bytes) => {
    if (bytes === 0) return null;
    if (refusal !== null) return { code: 'StoreFull', message: refusal };
    if (leftBytes === null) return null;
    if (bytes > leftBytes) {
      // How much is left says what others have.
      const message = `the host's thin pool has no room for it: it takes ${formatSize(bytes)} more`;
      return { code: 'StoreFull', message };
    }
    leftBytes -= bytes;
    return null;
  };
}
