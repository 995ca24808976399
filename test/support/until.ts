/** Waiting for what comes to be, in tests and figures of what has a life of its own. */
import { setTimeout as sleep } from 'node:timers/promises';

const untilMsMax = 45_000;

/** @throws Error with what was so last, if it does not come to be */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  isIt: (seen: T) => boolean = Boolean,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const seen = await look();
    if (isIt(seen)) return seen;
    if (performance.now() - startedMs > untilMsMax) {
      throw new Error(`it never came to be that ${what}; last: ${JSON.stringify(seen, null, 1)}`);
    }
    await sleep(20);
  }
}
