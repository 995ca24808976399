/** How many partitions may be at work at once. First come, first served, so that none is starved. */
export interface Slots {
  /** Resolves when it is one's turn. @returns how to give it back */
  take(): Promise<() => void>;
  /** How many wait. */
  readonly waiting: number;
}

/** @param most from 1 */
export function slots(most: number): Slots {
  const queue: (() => void)[] = [];
  let free = most;
  const release = () => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const once = () => {
    let done = false;
    return () => {
      if (!done) release();
      done = true;
    };
  };
  return {
    take: async () => {
      if (free > 0) free -= 1;
      else await new Promise<void>((go) => queue.push(go));
      return once();
    },
    get waiting() {
      return queue.length;
    },
  };
}
