/** What the store makes of a Volume: how large it really is there, and whether it can be put there at all. */
import type { Observed } from '../model/domain.ts';
import { formatSize } from '../model/sizes.ts';
import { roundedUp } from '../model/thin-pool.ts';
import type { VolumeName } from '../model/names.ts';
import type { ObservedVolume, Volume } from '../model/volume.ts';
import type { Block, VolumeChange } from './change.ts';
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

/**
 * Those that the store has no room for, by name: each takes of what those before it have left, and a copy comes
 * after what it is a copy of.
 */
export function roomBlocks(
  changes: readonly VolumeChange[],
  observed: Observed,
): ReadonlyMap<VolumeName, Block> {
  const room = roomIn(observed);
  return new Map(
    sourcesFirst(changes).flatMap((change) => {
      const block = room(bytesMore(change, observed));
      return block === null ? [] : [[change.name, block] as const];
    }),
  );
}

function sourcesFirst(changes: readonly VolumeChange[]): readonly VolumeChange[] {
  const byName = new Map(changes.map((change) => [change.name, change]));
  const ordered = new Set<VolumeChange>();
  // Documents let no circle through.
  const visit = (change: VolumeChange) => {
    const from = change.kind === 'create' ? change.volume.copyOf : null;
    const source = from === null ? undefined : byName.get(from);
    if (source !== undefined) visit(source);
    ordered.add(change);
  };
  changes.forEach(visit);
  return [...ordered];
}

/** What it takes of the store's room. Files, and what is in another pool, take none. */
function bytesMore(change: VolumeChange, observed: Observed): number {
  const pool = poolOf(observed);
  const thereBytes = ({ thin, sizeBytes }: ObservedVolume) => (thin?.pool === pool ? sizeBytes : 0);
  if (pool === null) return 0;
  switch (change.kind) {
    case 'create': {
      const { volume, remains } = change;
      // A copy of what is no raw file is a file, from before there was a pool. What is half made goes first.
      const bytes = isRaw(volume) ? volume.sizeBytes : 0;
      return Math.max(0, bytes - (remains === null ? 0 : thereBytes(remains)));
    }
    case 'update': {
      const bytes = thereBytes(change.observed);
      return bytes === 0 ? 0 : Math.max(0, change.volume.sizeBytes - bytes);
    }
    case 'keep':
    case 'delete':
    case 'blocked':
      return 0;
  }
}

function isRaw({ format, origin }: Volume): boolean {
  return format === 'raw' && origin?.provision !== 'Overlay';
}

function poolOf({ volumeStore: store }: Observed): string | null {
  return store.status === 'present' ? store.value.pool : null;
}

function roomIn({ volumeStore: store }: Observed): (bytes: number) => Block | null {
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
