/**
 * Folders that must not hold each other. What the daemon writes must not be in what it watches, or
 * each write would wake it; and what is someone's to write must not be in what is ours.
 */
import type { ConfigSpec } from './config-schema.ts';

export type PlaceField = 'stateDir' | 'partitionsDir' | 'desiredStateDir' | 'runDir';

export interface PlaceConflict {
  /** The two fields, in the order of the message. */
  readonly fields: readonly [PlaceField, PlaceField];
  readonly message: string;
}

const apart: readonly (readonly [PlaceField, PlaceField])[] = [
  ['runDir', 'partitionsDir'],
  ['runDir', 'desiredStateDir'],
  ['runDir', 'stateDir'],
  ['stateDir', 'partitionsDir'],
  ['stateDir', 'desiredStateDir'],
  ['partitionsDir', 'desiredStateDir'],
];

/** By the letters of the paths: where links lead is only known on the machine. */
export function placeConflicts(spec: Pick<ConfigSpec, PlaceField>): readonly PlaceConflict[] {
  return apart
    .filter(([a, b]) => holds(spec[a], spec[b]) || holds(spec[b], spec[a]))
    .map(([a, b]) => ({
      fields: [a, b],
      message: `${a} (${spec[a]}) and ${b} (${spec[b]}) must not be the same folder, nor one in the other`,
    }));
}

/** Whether `inner` is `outer` or below it. */
function holds(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
