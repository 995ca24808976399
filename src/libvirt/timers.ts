/**
 * Time and chance, as the few functions that this library needs of them, so that a test can
 * bring its own.
 */
export interface Timers {
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
  /** A number in [0, 1), for the jitter of reconnects. */
  random(): number;
}

export const systemTimers: Timers = {
  setTimeout: (run, delayMs) => setTimeout(run, delayMs),
  // Border: a timer only ever comes from the function above.
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  random: () => Math.random(),
};
