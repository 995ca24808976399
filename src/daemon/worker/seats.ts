/**
 * How many workers there are at once, over all partitions. Who finds no seat waits, and whoever has
 * waited longest is next; nobody is ever refused.
 */
export interface Seats {
  /** @returns false: the signal has fired first, and there is nothing to give back */
  take(signal: AbortSignal): Promise<boolean>;
  /** Once for each that was taken, when its worker is gone. */
  giveBack(): void;
  /** Whether somebody waits for one. */
  readonly areWanted: boolean;
}

/** @param onWanted somebody has begun to wait: the time to end a worker that does nothing */
export function seatsOf(count: number, onWanted: () => void): Seats {
  let free = count;
  const waiting = new Set<() => void>();
  return {
    take: (signal) => {
      if (signal.aborted) return Promise.resolve(false);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const settle = (seated: boolean) => {
          waiting.delete(onFree);
          signal.removeEventListener('abort', onAbort);
          resolve(seated);
        };
        const onFree = () => settle(true);
        const onAbort = () => settle(false);
        waiting.add(onFree);
        signal.addEventListener('abort', onAbort);
        onWanted();
      });
    },
    giveBack: () => {
      const [next] = waiting;
      if (next === undefined) free += 1;
      else next();
    },
    get areWanted() {
      return waiting.size > 0;
    },
  };
}
