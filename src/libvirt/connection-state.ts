import type { ConnectionError } from './errors.ts';

/** What becomes of a connection after it has been opened. */
export type ConnectionState =
  /** Lost; every call has failed, events are missed, and it is being made again. */
  | { readonly kind: 'disconnected'; readonly error: ConnectionError }
  /** Up again, with the subscriptions it had. List everything anew: events have been missed. */
  | { readonly kind: 'reconnected' }
  /** Gone for good: by `close()`, or, with an error, lost and not to be made again. */
  | { readonly kind: 'closed'; readonly error: ConnectionError | undefined };
