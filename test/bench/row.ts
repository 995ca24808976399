/** One line of the result: ours against one baseline, and against the target if there is one. */
import { percentileOf, type Samples, type Spread, spreadOf } from './measure.ts';

/** The upper bound of our figure, of its ratio to the baseline's, or of what it is above that. */
export interface Target {
  readonly of: 'value' | 'ratio' | 'excess';
  readonly max: number;
}

export type Unit = 'ms' | '%' | 'MB' | 'kB' | '/s';

export interface Row {
  readonly name: string;
  readonly unit: Unit;
  /** The median, unless the name says another, as are the other figures; the spreads say more. */
  readonly value: number;
  /** What ours is held against; null where the figure stands for itself. */
  readonly baseline: string | null;
  readonly baselineValue: number | null;
  readonly ratio: number | null;
  readonly target: Target | null;
  /** Null without a target. */
  readonly ok: boolean | null;
  readonly spread: Spread;
  readonly baselineSpread: Spread | null;
}

export interface Ours {
  readonly name: string;
  readonly samples: Samples;
  readonly target?: Target | null;
  /** Default: ms. */
  readonly unit?: Unit;
  /** Which percentile is the figure; default: 50, which is the median. */
  readonly percentile?: number;
}

export interface Baseline {
  readonly name: string;
  readonly samples: Samples;
  /** By what its figures are multiplied, where it does only a part of the work. Default 1. */
  readonly times?: number;
}

export function rowOf(ours: Ours, baseline: Baseline | null): Row {
  const { name, samples, target = null, unit = 'ms', percentile = 50 } = ours;
  const spread = spreadOf(samples);
  const baselineSpread =
    baseline === null ? null : scaled(spreadOf(baseline.samples), baseline.times ?? 1);
  const value = percentile === 50 ? spread.median : percentileOf(samples, percentile);
  const ratio = baselineSpread === null ? null : value / baselineSpread.median;
  return {
    name,
    unit,
    value,
    baseline: baseline?.name ?? null,
    baselineValue: baselineSpread?.median ?? null,
    ratio,
    target,
    ok: target === null ? null : isMet(target, value, baselineSpread?.median ?? null),
    spread,
    baselineSpread,
  };
}

function isMet({ of, max }: Target, value: number, baselineValue: number | null): boolean {
  switch (of) {
    case 'value':
      return value <= max;
    case 'ratio':
      return baselineValue !== null && value / baselineValue <= max;
    case 'excess':
      return baselineValue !== null && value - baselineValue <= max;
  }
}

function scaled({ median, min, max, count }: Spread, times: number): Spread {
  return { median: median * times, min: min * times, max: max * times, count };
}
