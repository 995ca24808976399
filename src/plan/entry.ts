/** What a plan says about one thing: what is done about it and why, or why nothing is. */
import type { Block } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import type { Resource } from '../model/resource.ts';
import type { OperationId } from './operation.ts';
import type { Work } from './work.ts';

export type PlanEntry = {
  readonly resource: Resource;
} & (
  | ({ readonly kind: 'create' | 'update' | 'delete' } & PlannedWork)
  | { readonly kind: 'blocked'; readonly block: Block }
  | {
      readonly kind: 'unchanged';
      /** What the running guest does not have yet and takes at its next start; of the image disk, once no guest has it. */
      readonly waiting: readonly FieldChange[];
    }
  /** No document speaks of it, and it is to stay. */
  | { readonly kind: 'kept' }
);

export interface PlannedWork extends Work {
  /** In execution order. */
  readonly operations: readonly OperationId[];
}
