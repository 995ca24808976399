/**
 * What is held is left alone, as a whole: whoever is held keeps the guest, the definition, the
 * Volumes and the address that it has. A hold of starts blocks a creation and a restart as a whole
 * too; of a guest that is stopped it only takes the start away, so that what may mend it goes on.
 */
import type { Block, Change, Changes, VolumeChange } from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';
import { wantsStart } from './run-policy.ts';
import type { Wishes } from './wishes.ts';

/** @param hasWork whether a plan would do anything about it */
export function guardHolds(
  changes: Changes,
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
  return {
    ...changes,
    secondaries,
    volumes: changes.volumes.map((each) => guardDisk(each, holds)),
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

/** A disk that grows under a guest is something done to that guest. */
function guardDisk(change: VolumeChange, holds: ReadonlyMap<SecondaryName, Block>): VolumeChange {
  if (change.kind !== 'update') return change;
  const user = change.user?.owner?.secondary;
  const block = user === undefined ? undefined : holds.get(user);
  const grows = change.fields.some(({ field }) => field === 'sizeBytes');
  return block !== undefined && grows ? { kind: 'blocked', name: change.name, block } : change;
}
