/**
 * What can be carved out of a Primary, and what can be given back to it. A carved Primary has the
 * partition minus its Secondaries, down to what is reserved for it.
 */
import type { Carving, ObservedPrimary, PrimaryHas, PrimaryWanted } from '../model/primary.ts';
import { type Amounts, amounts } from './amounts.ts';
import { overheadBytes } from '../model/overhead.ts';

/** What it counts with: the more of what runs and of what its next start would use. */
export function primaryAmounts(primary: ObservedPrimary): Amounts {
  const { vcpus, pluggedBytes } = primaryHas(primary);
  const { vcpusMax, baseBytes, device, translationCacheBytes } = primary;
  // By what it could have, so that carving does not change it.
  const memoryBytes = baseBytes + (device?.sizeBytes ?? 0);
  const besides = overheadBytes({ vcpus: vcpusMax, memoryBytes, translationCacheBytes });
  return amounts({ vcpus, memoryBytes: baseBytes + pluggedBytes + besides });
}

/** An operator may start it, or boot it anew, at any moment. */
export function primaryHas({ live, defined }: ObservedPrimary): PrimaryHas {
  return {
    vcpus: Math.max(live?.vcpus ?? 0, defined.vcpus),
    pluggedBytes: Math.max(live?.pluggedBytes ?? 0, defined.pluggedBytes),
  };
}

/** How much can be taken from it at most, and given to it. */
export interface Carvable {
  readonly shrink: Amounts;
  readonly grow: Amounts;
}

export function carvableOf(wanted: PrimaryWanted, primary: ObservedPrimary): Carvable {
  const has = primaryHas(primary);
  const vcpus = isCarved('vcpus', wanted, primary);
  const memory = isCarved('memory', wanted, primary);
  const floor = Math.max(wanted.reserved.vcpus, primary.vcpusFixed);
  return {
    shrink: amounts({
      vcpus: vcpus ? Math.max(0, has.vcpus - floor) : 0,
      memoryBytes: memory ? Math.max(0, has.pluggedBytes - pluggedFloor(wanted, primary)) : 0,
    }),
    grow: amounts({
      vcpus: vcpus ? Math.max(0, primary.vcpusMax - has.vcpus) : 0,
      memoryBytes: memory ? Math.max(0, (primary.device?.sizeBytes ?? 0) - has.pluggedBytes) : 0,
    }),
  };
}

/** Whole blocks of the device. */
function pluggedFloor({ reserved }: PrimaryWanted, { baseBytes, device }: ObservedPrimary): number {
  const block = device?.blockBytes ?? 1;
  return Math.ceil(Math.max(0, reserved.memoryBytes - baseBytes) / block) * block;
}

function isCarved(what: Carving, wanted: PrimaryWanted, primary: ObservedPrimary): boolean {
  return wanted.grants.includes(what) && uncarvable(what, primary) === null;
}

/** Why nothing of it can be taken, though it is granted; null: it can. */
function uncarvable(what: Carving, primary: ObservedPrimary): string | null {
  if (what === 'vcpus') {
    // QEMU 7.2 was seen to take one out and not to tell libvirt, and to crash when it was put back.
    return primary.translationCacheBytes > 0 ? 'its vCPUs are emulated' : null;
  }
  if (primary.pinnedBy !== null) return `its memory is pinned by ${primary.pinnedBy}`;
  return primary.device === null
    ? 'it has no virtio-mem device and no balloon, or several devices'
    : null;
}

/**
 * What it is to have, once `left` of the limits is left over after everybody else and after all that
 * could be taken from it: it takes the rest, as far as it can.
 */
export function goalOf(wanted: PrimaryWanted, primary: ObservedPrimary, left: Amounts): PrimaryHas {
  const has = primaryHas(primary);
  const { shrink, grow } = carvableOf(wanted, primary);
  const more = (name: 'vcpus' | 'memoryBytes') =>
    Math.min(grow[name], Math.max(-shrink[name], left[name] - shrink[name]));
  const block = primary.device?.blockBytes ?? 1;
  return {
    vcpus: has.vcpus + more('vcpus'),
    // Downwards: what is left of a block is of no use to it.
    pluggedBytes: Math.floor((has.pluggedBytes + more('memoryBytes')) / block) * block,
  };
}
