/**
 * One writer: a Volume that a guest has, and that this plan does not take from it, is given to nobody else and
 * not deleted. Whoever could not be read may have any.
 */
import type { Change, VolumeChange } from '../diff/change.ts';
import { blocked } from '../diff/ownership.ts';
import { unreadUsers } from '../diff/unread-users.ts';
import { volumesOf } from '../diff/volume.ts';
import type { DomainFields, Observed } from '../model/domain.ts';
import type { SecondaryName, VolumeName } from '../model/names.ts';
import { usesOf } from '../model/secondary.ts';
import { volumesIn } from './dependencies.ts';
import { keepsRunning, movesNow } from './disks.ts';
import { wantsStart } from './run-policy.ts';

/**
 * Documents give a Volume to one Secondary, but a guest that is not restarted, and does not let go of it,
 * still runs with what it had before: nobody else starts with that, or gets it while it runs.
 */
export function guardSharing(changes: readonly Change[], observed: Observed): readonly Change[] {
  const dark = unreadUsers(observed);
  const isThere = (volume: VolumeName) => observed.volumes.get(volume)?.status === 'present';
  const byName = new Map(changes.map((change) => [change.name, change]));
  const holders = new Map<string, SecondaryName[]>();
  for (const [name, seen] of observed.domains) {
    if (seen.status !== 'present') continue;
    const { live, defined, saved } = seen.value;
    // A saved guest goes on with what it had when it was saved.
    const held = live === null ? (saved ? volumesOf(defined) : []) : keptBy(live, byName.get(name));
    for (const volume of held) holders.set(volume, [...(holders.get(volume) ?? []), name]);
  }
  return changes.map((change) => {
    if (change.kind !== 'create' && change.kind !== 'update') return change;
    const own = ownVolumes(change);
    for (const volume of takenBy(change)) {
      // One that is saved with it is no reason to forget of another that runs with it.
      const holder = holders.get(volume)?.find((name) => name !== change.name);
      // What it did not have before, somebody may have who could not be read.
      if (dark !== null && !own.has(volume) && isThere(volume)) {
        return blocked(change.name, dark.code, `Volume ${volume}: ${dark.message}`);
      }
      if (holder === undefined) continue;
      return blocked(change.name, 'VolumeInUse', heldMessage(volume, holder, byName.get(holder)));
    }
    return change;
  });
}

/** The Volumes that a running guest has and that this plan does not take from it. */
function keptBy(live: DomainFields, change: Change | undefined): readonly VolumeName[] {
  if (change?.kind === 'delete' || (change?.kind === 'update' && !keepsRunning(change))) return [];
  // Of one that is woken it is had at the next look: who waits for that is not restarted in between.
  const isAwake = change?.kind === 'update' && change.power === 'none';
  const going = isAwake ? movesNow(change).detach : [];
  return volumesOf(live).filter((volume) => !going.includes(volume));
}

/** Those that it is started with, or gets while it runs. */
function takenBy(change: Extract<Change, { kind: 'create' | 'update' }>): readonly VolumeName[] {
  return wantsStart(change)
    ? usesOf(change.secondary).map(({ volume }) => volume)
    : movesNow(change).attach;
}

/** What a definition says that runs beside it, its guest does not have. */
function ownVolumes(change: Extract<Change, { kind: 'create' | 'update' }>): ReadonlySet<string> {
  if (change.kind === 'create') return new Set();
  const { live } = change.observed;
  return live === null || wantsStart(change)
    ? volumesIn(change.observed)
    : new Set(volumesOf(live));
}

function heldMessage(
  volume: VolumeName,
  holder: SecondaryName,
  change: Change | undefined,
): string {
  const holds = `${holder} still runs, or is saved, with Volume ${volume}`;
  // One that does not let go of it says so there.
  if (change?.kind === 'blocked') return `${holds}, and is blocked itself: ${change.block.message}`;
  return `${holds}: restart or halt it first`;
}

export function guardVolumes(
  changes: readonly VolumeChange[],
  secondaries: readonly Change[],
  { domains }: Observed,
): readonly VolumeChange[] {
  const byName = new Map(secondaries.map((change) => [change.name, change]));
  const users = new Map<string, string>();
  for (const [name, seen] of domains) {
    if (seen.status !== 'present') continue;
    const change = byName.get(name);
    const { live } = seen.value;
    // Whose definition is not changed either keeps what is in that, too.
    const isLeftAlone = change === undefined || change.kind === 'blocked';
    const kept = isLeftAlone ? volumesIn(seen.value) : live === null ? [] : keptBy(live, change);
    for (const volume of kept) users.set(volume, name);
  }
  const made = new Set(changes.flatMap(({ kind, name }) => (kind === 'create' ? [name] : [])));
  return changes.map((change) => {
    if (change.kind !== 'delete') return change;
    // What this plan makes of it is made before it goes.
    const waiting = change.owedTo.find((name) => !made.has(name));
    if (waiting !== undefined) {
      const message = `Volume ${waiting} is to begin with its data, and has not: it goes after that`;
      return blocked(change.name, 'VolumeInUse', message);
    }
    const user = users.get(change.name);
    if (user === undefined) return change;
    const message = `${user} still has it; it goes when that one lets go of it, is restarted or deleted`;
    return blocked(change.name, 'VolumeInUse', message);
  });
}
