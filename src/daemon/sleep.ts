/** Waiting that a signal can end, on whatever timers there are. */
import type { Timers } from './runtime.ts';

/** Resolves after `ms`, or when the signal fires, whichever is first. Never rejects. */
export function sleepBy(after: Timers['after'], ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const wake = () => {
      stop();
      signal.removeEventListener('abort', wake);
      done();
    };
    const stop = after(ms, wake);
    signal.addEventListener('abort', wake);
  });
}
