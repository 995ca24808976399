/**
 * What people and the daemon ask for beside the documents: to leave something alone for a while, or
 * to start, stop or restart a guest once. Documents still rule: what they forbid is not done.
 */
import type { Block, PowerRequest } from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';

/** Who finds out whether guests are ready: of those that only unnestd hears or tries, nobody does without it. */
export type Watch = 'by-unnestd' | 'by-nobody';

export interface Wishes {
  /** Nothing at all is done to the partition; null: no such wish. */
  readonly holdAll: Block | null;
  /** Nothing is done to these, with why (`unnest pause`). */
  readonly holds: ReadonlyMap<SecondaryName, Block>;
  /** The guests of these are not started, with why; what needs no start is done. */
  readonly startHolds: ReadonlyMap<SecondaryName, Block>;
  /**
   * Once-only wishes: whoever hands them in takes them back once they are carried out. A guest whose
   * run policy is `Halted` is not started, and none but a `Manual` one is stopped.
   */
  readonly requests: ReadonlyMap<SecondaryName, PowerRequest>;
  readonly watch: Watch;
}

export const noWishes: Wishes = {
  holdAll: null,
  holds: new Map(),
  startHolds: new Map(),
  requests: new Map(),
  watch: 'by-nobody',
};
