/** The time on a simulated host: that of the machine, or one that stands still until it is waited for. */

export interface Clock {
  /** Milliseconds since the epoch: guests live on in the file between two programs. */
  now(): number;
  /** Resolves after `ms`, or when the signal fires. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const machineClock: Clock = { now: () => Date.now(), sleep: sleepFor };

function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}

export interface VirtualClock extends Clock {
  /** Lets time pass without anybody waiting for it. */
  advance(ms: number): void;
}

/** Jumps to the next moment that somebody waits for as soon as nothing else is left to do. */
export function virtualClock(startMs = 0): VirtualClock {
  let nowMs = startMs;
  const sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  const jump = () => {
    const [next] = [...sleepers].sort((a, b) => a.atMs - b.atMs);
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.atMs);
    next.wake();
  };
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    sleep: (ms, signal) =>
      new Promise((done) => {
        if (signal.aborted) return done();
        const sleeper = { atMs: nowMs + ms, wake: () => wake() };
        const wake = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', wake);
          done();
        };
        signal.addEventListener('abort', wake);
        sleepers.add(sleeper);
        // One jump for each sleeper, when all that can go on without time has gone on.
        setImmediate(jump);
      }),
  };
}
