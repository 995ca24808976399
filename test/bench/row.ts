/** One line of the result: ours against one baseline, and against the target if there is one. */
import { type Samples, type Spread, spreadOf } from './measure.ts';

/** The upper bound that was set for one of the two figures. */
export interface Target {
  readonly of: 'value' | 'ratio';
  readonly max: number;
}

export interface Row {
  readonly name: string;
  readonly unit: 'ms';
  /** The median, as are the other figures; the spreads say more. */
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
}

export interface Baseline {
  readonly name: string;
  readonly samples: Samples;
  /** By what its figures are multiplied, where it does only a part of the work. Default 1. */
  readonly times?: number;
}

export function rowOf({ name, samples, target = null }: Ours, baseline: Baseline | null): Row {
  const spread = spreadOf(samples);
  const baselineSpread =
    baseline === null ? null : scaled(spreadOf(baseline.samples), baseline.times ?? 1);
  const value = spread.median;
  const ratio = baselineSpread === null ? null : value / baselineSpread.median;
  return {
    name,
    unit: 'ms',
    value,
    baseline: baseline?.name ?? null,
    baselineValue: baselineSpread?.median ?? null,
    ratio,
    target,
    ok: target === null ? null : isMet(target, value, ratio),
    spread,
    baselineSpread,
  };
}

function isMet({ of, max }: Target, value: number, ratio: number | null): boolean {
  const figure = of === 'value' ? value : ratio;
  return figure !== null && figure <= max;
}

function scaled({ median, min, max, count }: Spread, times: number): Spread {
  return { median: median * times, min: min * times, max: max * times, count };
}
