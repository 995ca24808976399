/** The machine's clock and timers. None of them keeps the process alive. */
import type { Clock, Timers } from '../runtime.ts';
import { sleepBy } from '../sleep.ts';

/** What a timer of Node can wait at most; with more it would fire at once. */
const timerMsMax = 2 ** 31 - 1;

export const machineClock: Clock = { now: () => performance.now(), wall: () => Date.now() };

export const machineTimers: Timers = {
  after,
  sleep: (ms, signal) => sleepBy(after, ms, signal),
};

function after(ms: number, act: () => void): () => void {
  let stop = () => {};
  const wait = (leftMs: number) => {
    const partMs = Math.min(leftMs, timerMsMax);
    const isLast = leftMs <= timerMsMax;
    const timer = setTimeout(() => (isLast ? act() : wait(leftMs - partMs)), partMs);
    timer.unref();
    stop = () => clearTimeout(timer);
  };
  wait(ms);
  return () => stop();
}
