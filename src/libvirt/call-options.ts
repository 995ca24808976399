import { ConnectionError } from './errors.ts';
import type { Timers } from './timers.ts';
import { whenAborted } from './when-aborted.ts';

/** What every method of this library takes beside its own options. */
export interface CallOptions {
  /**
   * Gives the call up when it fires, waiting or in flight. libvirtd is not told (the protocol
   * has no way to) and finishes what it has begun; its answer is dropped.
   */
  readonly signal?: AbortSignal | undefined;
  /** Time until the call fails with reason `timeout`, its wait in the queue included. */
  readonly timeoutMs?: number | undefined;
}

/** Call options whose time limit has been decided. */
export type TimedCallOptions = CallOptions & { readonly timeoutMs: number };

/** Runs `giveUp` at most once, when time is up or the signal fires; returns how to stop that. */
export function watchCall(
  { signal, timeoutMs }: TimedCallOptions,
  timers: Timers,
  giveUp: (reason: 'timeout' | 'aborted') => void,
): () => void {
  const timer = timers.setTimeout(() => giveUp('timeout'), timeoutMs);
  const stopListening = signal && whenAborted(signal, () => giveUp('aborted'));
  return () => {
    timers.clearTimeout(timer);
    stopListening?.();
  };
}

/** The error of a call that was given up on. */
export function givenUpError(
  reason: 'timeout' | 'aborted',
  procedure: string,
  { signal, timeoutMs }: TimedCallOptions,
  mayHaveRun: boolean,
): ConnectionError {
  return reason === 'timeout'
    ? new ConnectionError('timeout', `no answer to ${procedure} within ${timeoutMs} ms`, {
        mayHaveRun,
      })
    : new ConnectionError('aborted', `${procedure} was aborted`, {
        cause: signal?.reason,
        mayHaveRun,
      });
}
