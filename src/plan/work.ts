/** What a plan says about one thing that it does something about, and the operations behind it. */
import type { Reason } from '../diff/change.ts';
import type { FieldChange, Impact } from '../diff/fields.ts';
import type { Operation } from './operation.ts';

export interface Work {
  readonly impact: Impact;
  readonly reasons: readonly Reason[];
  readonly fields: readonly FieldChange[];
  /** What the running guest does not get now and takes at its next start; of the image disk, once no guest has it. */
  readonly waiting: readonly FieldChange[];
}

export interface Steps extends Work {
  readonly operations: readonly Operation[];
}
