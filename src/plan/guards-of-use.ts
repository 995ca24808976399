/**
 * Nothing is taken away from a guest that keeps it, and nothing is given to two. Whoever could not be
 * read may have anything.
 */
import type {
  Change,
  Changes,
  FilterChange,
  NetworkChange,
  NicChange,
  SeedChange,
  SliceChange,
  UpdateChange,
  VolumeChange,
} from '../diff/change.ts';
import { needsParts } from '../diff/domain.ts';
import { diffFilter } from '../diff/filter.ts';
import { isPlugged } from '../diff/nic.ts';
import { blocked, partBlocked } from '../diff/ownership.ts';
import { seedsOf } from '../diff/seed.ts';
import { unreadUsers } from '../diff/unread-users.ts';
import type { Observed } from '../model/domain.ts';
import { PRIMARY_STATION } from '../model/names.ts';
import { secondaryOf } from '../model/seed.ts';
import { isInSlice, isOnNetwork } from './dependencies.ts';
import { keepsRunning } from './disks.ts';
import { guardImages } from './guards-of-images.ts';
import { guardVolumes } from './guards-of-volumes.ts';
import { wantsStart } from './run-policy.ts';

/** @param waiting what became of the change of the network before it came here */
export function guardUse(
  changes: Changes,
  waiting: NetworkChange | null,
  observed: Observed,
): Changes {
  const staying = stayingUsers(changes.secondaries, observed);
  const dark = unreadUsers(observed);
  const volumes = guardVolumes(changes.volumes, changes.secondaries, observed).map((change) =>
    dark !== null && needsToKnowUsers(change)
      ? blocked(change.name, dark.code, dark.message)
      : change,
  );
  const network = guardNetwork(waiting, staying, changes.nic, observed);
  return {
    share: changes.share,
    primary: changes.primary,
    slice: guardSlice(changes.slice, staying, observed),
    network,
    filter: guardFilter(changes, network, observed),
    nic: guardNic(changes.nic, network),
    imageDisk: changes.imageDisk,
    intakes: changes.intakes,
    images: guardImages(changes.images, volumes, changes.secondaries, observed),
    seeds: guardSeeds(changes.seeds, staying, observed),
    volumes,
    secondaries: changes.secondaries,
  };
}

/** Whose domains keep what they have: this plan neither deletes nor changes them, or not yet. */
function stayingUsers(changes: readonly Change[], observed: Observed): ReadonlySet<string> {
  const byName = new Map(changes.map((change) => [change.name, change]));
  return new Set(
    [...observed.domains.keys()].filter((name) => {
      const change = byName.get(name);
      if (change === undefined || change.kind === 'blocked') return true;
      return change.kind === 'update' && keepsDevices(change);
    }),
  );
}

/** The same of everybody with an address on the network: the Primary keeps its own until it is unplugged. */
export function stayingStations(
  { primary, nic, secondaries }: Changes,
  observed: Observed,
): ReadonlySet<string> {
  const staying = stayingUsers(secondaries, observed);
  // One that nobody has named was not looked at.
  const isGone = primary !== null && observed.primary.status !== 'unknown' && !isPlugged(observed);
  return isGone || nic?.kind === 'delete' ? staying : new Set([...staying, PRIMARY_STATION]);
}

function needsToKnowUsers(change: VolumeChange): boolean {
  if (change.kind === 'update') {
    return change.user === null && change.fields.some(({ field }) => field === 'sizeBytes');
  }
  return change.kind === 'delete';
}

function cutsOff(change: NetworkChange | null): change is NetworkChange {
  if (change === null) return false;
  return change.kind === 'delete' || (change.kind === 'update' && change.running.length > 0);
}

/** A change that would cut off whoever is on the network waits until everybody could be read. */
export function guardUnreadNetwork(
  change: NetworkChange | null,
  observed: Observed,
): NetworkChange | null {
  const dark = unreadUsers(observed);
  if (dark === null || !cutsOff(change)) return change;
  return blocked(change.name, dark.code, dark.message);
}

/**
 * Nobody starts on a network that is not as it is to be: they would have no address there. Nor does anybody
 * get what an earlier look would have kept from them.
 */
export function guardNics(
  changes: readonly Change[],
  network: NetworkChange | null,
): readonly Change[] {
  if (network?.kind !== 'blocked') return changes;
  const block = partBlocked('the network', network.block);
  return changes.map((change) => {
    if (change.kind !== 'create' && change.kind !== 'update') return change;
    if (change.secondary.network === 'None') return change;
    const needsIt = change.kind === 'create' || needsParts(change) || wantsStart(change);
    return needsIt ? { kind: 'blocked', name: change.name, block } : change;
  });
}

/** A running guest that is not restarted keeps its devices, whatever its definition says; but for its data disks. */
function keepsDevices(change: UpdateChange): boolean {
  return keepsRunning(change) && change.running.some(({ impact }) => impact === 'restart');
}

/** It goes with the last guest that has it, which only the one that it is named after can be. */
function guardSeeds(
  changes: readonly SeedChange[],
  staying: ReadonlySet<string>,
  { domains, unlisted }: Observed,
): readonly SeedChange[] {
  return changes.map((change) => {
    if (change.kind !== 'delete') return change;
    const name = secondaryOf(change.name);
    const seen = domains.get(name);
    const dark = unlisted ?? (seen?.status === 'unknown' ? seen.why : null);
    if (dark !== null) return blocked(change.name, 'HostUnknown', dark);
    const stays = staying.has(name) && seen?.status === 'present';
    const has = stays && seedsOf(name, seen.value).includes(change.name);
    return has ? { ...change, kind: 'keep' } : change;
  });
}

/**
 * On a network that is not changed or taken away after all, what guards its guests follows from what is
 * there, and not from what was to be.
 */
function guardFilter(
  { network: before, filter }: Changes,
  network: NetworkChange | null,
  observed: Observed,
): FilterChange | null {
  if (filter?.kind === 'blocked' || network === before || network?.kind !== 'blocked')
    return filter;
  return diffFilter(network, observed);
}

/** It goes with the last guest that is in it, or is to be. */
function guardSlice(
  change: SliceChange | null,
  staying: ReadonlySet<string>,
  observed: Observed,
): SliceChange | null {
  if (change?.kind !== 'delete') return change;
  const stays = [...observed.domains].some(
    ([name, seen]) =>
      seen.status === 'unknown' ||
      (staying.has(name) && seen.status === 'present' && isInSlice(seen.value)),
  );
  return stays || observed.unlisted !== null ? { ...change, kind: 'keep' } : change;
}

function guardNetwork(
  change: NetworkChange | null,
  staying: ReadonlySet<string>,
  nic: NicChange | null,
  observed: Observed,
): NetworkChange | null {
  if (change?.kind !== 'delete') return change;
  if (nic?.kind !== 'delete' && isPlugged(observed)) {
    const message = 'the Primary is still plugged into it; it goes when that one is not any more';
    return blocked(change.name, 'NetworkInUse', message);
  }
  const users = [...observed.domains].filter(
    ([name, seen]) => staying.has(name) && seen.status === 'present' && isOnNetwork(seen.value),
  );
  const [first] = users.map(([name]) => name).sort();
  if (first === undefined) return change;
  const message = `${first} is still on it; it goes when that one is restarted or deleted`;
  return blocked(change.name, 'NetworkInUse', message);
}

/** Nobody is plugged into a network that is not as it is to be. */
function guardNic(change: NicChange | null, network: NetworkChange | null): NicChange | null {
  if (change === null || network?.kind !== 'blocked') return change;
  if (change.kind === 'blocked' || change.kind === 'delete' || change.isSo) return change;
  return { kind: 'blocked', name: change.name, block: partBlocked('the network', network.block) };
}
