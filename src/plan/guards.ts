/**
 * What a plan must not do by accident: delete everything, or more at once than was allowed, start
 * what cannot be up yet, or take away what somebody keeps. A guard only ever turns a change into a
 * block.
 */
import type { Change, Changes, NetworkChange } from '../diff/change.ts';
import { blocked } from '../diff/ownership.ts';
import type { Observed } from '../model/domain.ts';
import { type Guards, guardDeletions } from './guards-of-deletions.ts';
import { guardNics, guardUnreadNetwork, guardUse } from './guards-of-use.ts';
import { guardSharing } from './guards-of-volumes.ts';
import { guardHolds } from './holds.ts';
import { startOrder } from './start-order.ts';
import type { Watch, Wishes } from './wishes.ts';

/** @param hasWork whether a plan would do anything about it */
export function guard(
  changes: Changes,
  observed: Observed,
  guards: Guards & Wishes,
  hasWork: (change: Change) => boolean,
): Changes {
  // Before the holds: one that is held back and would be deleted is none that is kept.
  const fewer = { ...changes, ...guardDeletions(changes, observed, guards) };
  const held = guardHolds(fewer, observed, guards, hasWork);
  const network = guardUnreadNetwork(changes.network, observed);
  const secondaries = guardSecondaries(held.secondaries, network, observed, guards.watch);
  return guardUse({ ...held, secondaries }, network, observed);
}

/** Whoever is blocked keeps what it has, and does not run for those that start after it: again. */
function guardSecondaries(
  changes: readonly Change[],
  network: NetworkChange | null,
  observed: Observed,
  watch: Watch,
): readonly Change[] {
  const blocks = (all: readonly Change[]) => all.filter(({ kind }) => kind === 'blocked').length;
  for (let before = changes; ;) {
    const after = guardSharing(guardStarts(guardNics(before, network), observed, watch), observed);
    if (blocks(after) === blocks(before)) return after;
    before = after;
  }
}

function guardStarts(
  changes: readonly Change[],
  observed: Observed,
  watch: Watch,
): readonly Change[] {
  const { unmet } = startOrder(changes, observed, watch);
  return changes.map((change) => {
    const message = unmet.get(change.name);
    if (message === undefined) return change;
    return blocked(change.name, 'StartAfterUnmet', message);
  });
}
