/**
 * What is held is left alone, as a whole: whoever is held keeps the guest, the definition, the
 * Volumes and the address that it has. A hold of starts blocks a creation and a restart as a whole
 * too; of a guest that is stopped it only takes the start away, so that what may mend it goes on.
 */
import type { Block, Change, Changes, VolumeChange } from '../diff/change.ts';
import type { Observed } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import { volumesIn } from './dependencies.ts';
import { wantsStart } from './run-policy.ts';
import type { Wishes } from './wishes.ts';

/** @param hasWork whether a plan would do anything about it */
export function guardHolds(
  changes: Changes,
  { domains }: Observed,
  { holds, startHolds }: Pick<Wishes, 'holds' | 'startHolds'>,
  hasWork: (change: Change) => boolean,
): Changes {
  if (holds.size === 0 && startHolds.size === 0) return changes;
  const secondaries = changes.secondaries.map((change) => {
    const hold = holds.get(change.name);
    if (hold !== undefined) return hasWork(change) ? held(change, hold) : change;
    const startHold = startHolds.get(change.name);
    if (startHold === undefined || !wantsStart(change)) return change;
    return withoutStart(change, startHold, hasWork);
  });
  const disks = heldDisks(domains, holds);
  return {
    ...changes,
    secondaries,
    volumes: changes.volumes.map((each) => guardDisk(each, disks)),
  };
}

function held(change: Change, block: Block): Change {
  // What is blocked already has a reason that the end of the hold would not take away.
  return change.kind === 'blocked' ? change : { kind: 'blocked', name: change.name, block };
}

function withoutStart(change: Change, block: Block, hasWork: (change: Change) => boolean): Change {
  if (change.kind !== 'update' || change.power !== 'start') return held(change, block);
  const rest = { ...change, power: 'none', asked: null } as const;
  return hasWork(rest) ? rest : held(change, block);
}

/**
 * By Volume: the pause of whoever has it, running or in a definition. One that only waits after a
 * failure does not keep its disks waiting with it.
 */
function heldDisks(
  domains: Observed['domains'],
  holds: ReadonlyMap<SecondaryName, Block>,
): ReadonlyMap<string, Block> {
  const disks = new Map<string, Block>();
  for (const [name, hold] of holds) {
    const seen = domains.get(name);
    if (seen?.status !== 'present' || hold.code !== 'Held') continue;
    for (const volume of volumesIn(seen.value)) disks.set(volume, hold);
  }
  return disks;
}

/** A disk that grows is something done to the guest that has it, or that starts with it next. */
function guardDisk(change: VolumeChange, disks: ReadonlyMap<string, Block>): VolumeChange {
  if (change.kind !== 'update') return change;
  const block = disks.get(change.name);
  const grows = change.fields.some(({ field }) => field === 'sizeBytes');
  return block !== undefined && grows ? { kind: 'blocked', name: change.name, block } : change;
}
