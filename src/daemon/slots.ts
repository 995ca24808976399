/** How many may be at work at once. First come, first served, so that none is starved. */
export interface Slots {
  /**
   * Resolves when it is one's turn.
   * @param signal ends the waiting
   * @returns how to give it back, which may be done more than once; null: the signal has fired
   */
  take(signal: AbortSignal): Promise<(() => void) | null>;
  /** One that is free at once, or null. */
  takeFree(): (() => void) | null;
  /** How many wait. */
  readonly waiting: number;
}

/** @param most from 1. @param onWait somebody has begun to wait: the time to free one that idles */
export function slots(most: number, onWait: () => void = () => undefined): Slots {
  const queue = new Set<() => void>();
  let free = most;
  const release = () => {
    const [next] = queue;
    if (next === undefined) free += 1;
    else next();
  };
  const once = () => {
    let isBack = false;
    return () => {
      if (!isBack) release();
      isBack = true;
    };
  };
  return {
    take: async (signal) => {
      if (signal.aborted) return null;
      if (free > 0) {
        free -= 1;
        return once();
      }
      const isMine = turn(queue, signal);
      onWait();
      return (await isMine) ? once() : null;
    },
    takeFree: () => {
      if (free <= 0) return null;
      free -= 1;
      return once();
    },
    get waiting() {
      return queue.size;
    },
  };
}

/** Whether it came before the signal. */
function turn(queue: Set<() => void>, signal: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    const leave = (isMine: boolean) => {
      queue.delete(go);
      signal.removeEventListener('abort', giveUp);
      done(isMine);
    };
    const go = () => leave(true);
    const giveUp = () => leave(false);
    queue.add(go);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
