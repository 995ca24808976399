/**
 * What a plan must not do by accident: delete everything, or more at once than was allowed, or
 * start what cannot be up yet. A guard only ever turns a change into a block.
 */
import type { Block, Change } from '../diff/change.ts';
import { startOrder } from './start-order.ts';

export interface Guards {
  /** Whether a plan may delete every Secondary of the partition. */
  readonly deleteEverything: boolean;
  /** The most deletions in one plan; null: as many as there are. */
  readonly deletionsMax: number | null;
}

export function guard(changes: readonly Change[], guards: Guards): readonly Change[] {
  return guardStarts(guardDeletions(changes, guards));
}

function guardDeletions(
  changes: readonly Change[],
  { deleteEverything, deletionsMax }: Guards,
): readonly Change[] {
  const deletions = changes.filter(({ kind }) => kind === 'delete').length;
  if (deletions === 0) return changes;
  // An emptied directory, or the documents of another partition, are more often an accident than a
  // wish (invariant 6). What this plan makes anew does not count: it is not what would be lost.
  const kept = changes.some(({ kind }) => kind === 'update');
  if (!deleteEverything && !kept) {
    const message = 'this would delete every Secondary there is; --delete-everything allows it';
    return blockDeletions(changes, { code: 'DeletesEverything', message });
  }
  if (deletionsMax !== null && deletions > deletionsMax) {
    const message = `${deletions} Secondaries would be deleted, and --max-deletions is ${deletionsMax}`;
    return blockDeletions(changes, { code: 'TooManyDeletions', message });
  }
  return changes;
}

function blockDeletions(changes: readonly Change[], block: Block): readonly Change[] {
  return changes.map((change) =>
    change.kind === 'delete' ? { kind: 'blocked', name: change.name, block } : change,
  );
}

function guardStarts(changes: readonly Change[]): readonly Change[] {
  const { unmet } = startOrder(changes);
  return changes.map((change) => {
    const message = unmet.get(change.name);
    if (message === undefined) return change;
    return { kind: 'blocked', name: change.name, block: { code: 'StartAfterUnmet', message } };
  });
}
