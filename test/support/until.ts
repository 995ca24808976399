/** Waiting for what comes to be, in tests and figures of what has a life of its own. */
import { setTimeout as sleep } from 'node:timers/promises';

interface Patience {
  readonly msMax: number;
  readonly everyMs: number;
}

interface LastSeen<T> {
  readonly seen: T;
  readonly isSo: boolean;
}

const usual: Patience = { msMax: 45_000, everyMs: 20 };

/** Looks until it is so, or the time is over; at least once. @returns what was seen last */
export async function lookUntil<T>(
  look: () => Promise<T> | T,
  isIt: (seen: T) => boolean,
  { msMax, everyMs }: Patience,
): Promise<LastSeen<T>> {
  const startedMs = performance.now();
  for (;;) {
    const seen = await look();
    const isSo = isIt(seen);
    if (isSo || performance.now() - startedMs > msMax) return { seen, isSo };
    await sleep(everyMs);
  }
}

/** @throws Error with what was so last, if it does not come to be */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  isIt: (seen: T) => boolean = Boolean,
  patience: Patience = usual,
): Promise<T> {
  const { seen, isSo } = await lookUntil(look, isIt, patience);
  if (isSo) return seen;
  throw new Error(`it never came to be that ${what}; last: ${JSON.stringify(seen, null, 1)}`);
}
