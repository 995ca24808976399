/** What the store for Volumes has room for, of all that a plan puts there. */
import type { Block, VolumeChange } from '../diff/change.ts';
import { isRaw } from '../diff/volume-store.ts';
import type { Observed } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import { formatSize } from '../model/sizes.ts';
import type { ObservedVolume } from '../model/volume.ts';

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
