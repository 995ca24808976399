/**
 * One time for a whole test: that of the runtime and that of the simulated host. It stands still
 * until the test lets it go on, so that what comes first is always the same.
 */
import type { VirtualClock } from '../../src/host/simulated/clock.ts';
import type { Clock, Timers } from '../../src/daemon/runtime.ts';
import { sleepBy } from '../../src/daemon/sleep.ts';

export interface VirtualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** For `testHost({}, { clock })`: what sleeps there wakes by `advance` here. */
  readonly hostClock: VirtualClock;
  /** Runs what falls due, in order, and lets everything settle in between. */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets go on what can go on without time. */
  readonly settle: () => Promise<void>;
  /** What people's clocks say, without anything falling due: as somebody sets them. */
  readonly setWall: (ms: number) => void;
  /** How many wait for a moment to come. */
  readonly waiting: number;
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** More than any chain of callbacks without a timer in it has been seen to need. */
const settleRounds = 12;
const immediate = setImmediate;

/** @param startMs of people's clocks, since the epoch; 2030-01-01 if nothing is said */
export function virtualTime(startMs = Date.UTC(2030, 0, 1)): VirtualTime {
  let nowMs = 0;
  let wallAheadMs = startMs;
  let order = 0;
  const timers = new Set<Timer>();

  const after = (ms: number, act: () => void) => {
    const timer = { atMs: nowMs + Math.max(0, ms), order: order++, act };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const advance = async (ms: number) => {
    const untilMs = nowMs + ms;
    await settle();
    for (let next = firstOf(timers, untilMs); next !== null; next = firstOf(timers, untilMs)) {
      timers.delete(next);
      nowMs = Math.max(nowMs, next.atMs);
      next.act();
      await settle();
    }
    nowMs = Math.max(nowMs, untilMs);
  };
  const sleep = (ms: number, signal: AbortSignal) => sleepBy(after, ms, signal);
  const wall = () => wallAheadMs + nowMs;
  return {
    clock: { now: () => nowMs, wall },
    timers: { after, sleep },
    hostClock: { now: wall, sleep, advance: (ms) => void (nowMs += ms) },
    advance,
    settle,
    setWall: (ms) => void (wallAheadMs = ms - nowMs),
    get waiting() {
      return timers.size;
    },
  };
}

function firstOf(timers: ReadonlySet<Timer>, untilMs: number): Timer | null {
  let first: Timer | null = null;
  for (const timer of timers) {
    if (timer.atMs > untilMs) continue;
    const isEarlier =
      first === null ||
      timer.atMs < first.atMs ||
      (timer.atMs === first.atMs && timer.order < first.order);
    if (isEarlier) first = timer;
  }
  return first;
}

async function settle(): Promise<void> {
  for (let round = 0; round < settleRounds; round++) {
    await new Promise((done) => immediate(done));
  }
}
