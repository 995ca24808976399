/** All that a pass needs to know besides the host: read anew at the beginning of each one. */
import type { Block } from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Statement } from '../report/condition.ts';
import type { Drain, PowerRequest } from './accepted/wish-schema.ts';

/** A wish to start, stop or restart a guest once, as it is written down. */
export type Request = PowerRequest;

export interface TurnInput {
  /** Of the documents in force; 0: none. */
  readonly generation: number;
  readonly digest: string;
  /** Null: nothing was accepted yet, or nothing may be concluded; `statements` say why. */
  readonly desired: DesiredState | null;
  readonly deleteEverything: boolean;
  readonly deletionsMax: number | null;
  /** Who has asked for the partition to be emptied; null: nobody has. */
  readonly drain: Drain | null;
  readonly statements: readonly Statement[];
  /** Why nothing may be done about anything; null: it may. */
  readonly holdAll: Block | null;
  /** Why its host has no room for it; null: it has. */
  readonly unfit: Block | null;
  readonly holds: ReadonlyMap<SecondaryName, Block>;
  readonly requests: ReadonlyMap<SecondaryName, Request>;
  /** How long until one of the holds expires; null: none does. */
  readonly holdOverMs: number | null;
}
