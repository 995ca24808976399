/**
 * Who fetches, as the daemon sees it: one request to one host, whose bytes are handed on as they come.
 * `machine/` has the real one, in a sandbox. Whatever comes of it is hostile.
 */
import type { ImageUrl } from '../model/image-url.ts';
import type { PartitionName } from '../model/names.ts';
import type { FetchFailureCode } from '../report/fetch-failure.ts';

export interface FetchRequest {
  readonly partition: PartitionName;
  readonly url: ImageUrl;
  /** Whether an address of no public network will do. */
  readonly privateAddresses: boolean;
  /** From which byte on, if the server can; it says where it begins. */
  readonly atByte: number;
  /** All there are. */
  readonly sizeBytes: number;
}

export interface FetchTaker {
  /** Before the first bytes, once: where the server begins, which is 0 or as was asked. */
  begins(atByte: number): void;
  /** No more is read before it resolves. If it rejects, the fetch ends with that. */
  take(bytes: Uint8Array): Promise<void>;
}

export interface FetchFailure {
  readonly code: FetchFailureCode;
  /** A Primary reads it: no address, and no text of the server's. */
  readonly message: string;
  /** Whether the same may succeed later by itself. */
  readonly retryable: boolean;
}

export type FetchEnd =
  /** The server says that this was all. */
  | { readonly kind: 'complete' }
  /** It does not go on from where it was asked to. */
  | { readonly kind: 'not-resumed' }
  /** @param to as the server says it, absolute: hostile */
  | { readonly kind: 'redirected'; readonly to: string }
  | ({ readonly kind: 'failed' } & FetchFailure);

/** Resolves when nothing of it is left. @param signal ends it; what it resolves with does not matter then */
export type ImageFetcher = (
  request: FetchRequest,
  taker: FetchTaker,
  signal: AbortSignal,
) => Promise<FetchEnd>;

export function fetchFailed(message: string, retryable = true): FetchFailure {
  return { code: 'FetchFailed', message, retryable };
}
