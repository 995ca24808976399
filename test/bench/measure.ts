/**
 * Timing on a machine that does other things too: ours and the baselines take turns, so that a
 * disturbance hits both, and the median of several turns is what counts.
 */
export interface Subject {
  readonly name: string;
  /** One turn; how long its measured part took, in milliseconds. */
  sample(): Promise<number>;
}

interface Around<T> {
  /** Before the clock starts. */
  readonly before?: () => Promise<void>;
  /** After it has stopped; throws if what was measured is not what was meant. */
  readonly check?: (result: T) => void | Promise<void>;
  readonly after?: () => Promise<void>;
}

export function subject<T>(
  name: string,
  run: () => T | Promise<T>,
  { before, check, after }: Around<T> = {},
): Subject {
  return {
    name,
    async sample() {
      await before?.();
      const startedMs = performance.now();
      const result = await run();
      const tookMs = performance.now() - startedMs;
      await check?.(result);
      await after?.();
      return tookMs;
    },
  };
}

export interface Turns {
  /** Turns of each subject that count. */
  readonly count: number;
  /** Turns before those, for compilers and caches. */
  readonly warmUps: number;
}

/** Milliseconds per turn, for each subject in its order. */
export async function takeTurns(
  subjects: readonly Subject[],
  { count, warmUps }: Turns,
): Promise<readonly Samples[]> {
  const samples = subjects.map((): number[] => []);
  for (let turn = -warmUps; turn < count; turn += 1) {
    for (const [index, each] of subjects.entries()) {
      const ms = await each.sample();
      if (turn >= 0) samples[index]?.push(ms);
    }
  }
  return samples.map((values) => ({ values }));
}

export interface Samples {
  readonly values: readonly number[];
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export function spreadOf({ values }: Samples): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1];
  const high = sorted[Math.floor(middle)];
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    throw new Error('nothing was measured');
  }
  return { median: (low + high) / 2, min, max, count: sorted.length };
}

/** The smallest that so many percent are not above (nearest rank). @param percent from 0 to 100 */
export function percentileOf({ values }: Samples, percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const figure = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (figure === undefined) throw new Error('nothing was measured');
  return figure;
}
