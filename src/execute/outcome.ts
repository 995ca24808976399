/** What became of each operation, and of the pass as a whole. */
import type { HostErrorCode } from '../host/host-error.ts';
import type { Operation, OperationId } from '../plan/operation.ts';

export interface Failure {
  readonly code: HostErrorCode | 'Bug';
  readonly message: string;
  readonly retryable: boolean;
}

export type Result =
  /** `detail`: how, where there is more than one way, such as which step of a stop has worked; else empty. */
  | { readonly status: 'applied'; readonly detail: string }
  /** The world was as wanted before anything was done. */
  | { readonly status: 'already' }
  | { readonly status: 'failed'; readonly failure: Failure }
  /** Not tried, because the operation `because` did not succeed. */
  | { readonly status: 'skipped'; readonly because: OperationId }
  /** Not tried, because we were told to stop. */
  | { readonly status: 'cancelled' };

export interface Outcome {
  readonly operation: Operation;
  readonly result: Result;
  readonly durationMs: number;
}

/** One whole pass: an outcome for every operation of the plan, in the plan's order. */
export interface Report {
  readonly outcomes: readonly Outcome[];
  readonly durationMs: number;
}

export function succeeded({ status }: Result): boolean {
  return status === 'applied' || status === 'already';
}
