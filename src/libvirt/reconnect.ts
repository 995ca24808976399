import type { ReconnectOptions } from './connect-options.ts';
import type { Timers } from './timers.ts';

/**
 * The wait before attempt number `attempt` (from 0): doubling, capped, and cut by up to half at
 * random, so that many clients of one restarted daemon do not all come at once.
 */
export function reconnectDelayMs(
  attempt: number,
  { delayMsMin, delayMsMax }: ReconnectOptions,
  random: number,
): number {
  const delayMs = Math.min(delayMsMax, delayMsMin * 2 ** attempt);
  return delayMs * (1 - random / 2);
}

/** Repeats `attempt` until it succeeds or the signal fires, which it never survives. */
export async function retryUntilDone(
  attempt: () => Promise<void>,
  options: ReconnectOptions,
  timers: Timers,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    await pause(reconnectDelayMs(count, options, timers.random()), timers, signal);
    if (signal.aborted) return;
    try {
      return await attempt();
    } catch {
      // The reason was told when the connection was lost; that it is still down is no news.
    }
  }
}

function pause(delayMs: number, timers: Timers, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timers.clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = timers.setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });
}
