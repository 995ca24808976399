import { describe, expect, test } from 'vitest';
import {
  forgiven,
  lookAtRuns,
  nextStartMs,
  noRuns,
  type Runs,
  startHoldsOf,
  waitMs,
  withStarts,
} from '../../../src/daemon/runs.ts';
import type { Observed, ObservedDomain } from '../../../src/model/domain.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import { type Observation, present, unknown } from '../../../src/model/observation.ts';

const web = 'web' as SecondaryName;

function world(seen: Observation<Partial<ObservedDomain>>): Observed {
  return { domains: new Map([[web, seen]]) } as unknown as Observed;
}

const running = (runId: number) =>
  world(present({ runId, stopAsked: false, power: { status: 'running' } }));
const stopped = (stopAsked = false) =>
  world(present({ runId: null, stopAsked, power: { status: 'stopped', reason: 'crashed' } }));

/** So many runs of a second each. */
function crashes(count: number): Runs {
  let runs = noRuns;
  for (let at = 0; at < count; at += 1) {
    runs = lookAtRuns(runs, running(at + 1), at * 10_000).runs;
    runs = lookAtRuns(runs, stopped(), at * 10_000 + 1000).runs;
  }
  return runs;
}

describe('a guest that ends by itself', () => {
  test('is started at once the first time, and waits longer each time after that', () => {
    expect([1, 2, 3, 4, 20].map(waitMs)).toEqual([0, 10_000, 20_000, 40_000, 300_000]);
    expect(startHoldsOf(crashes(1), 1000).size).toBe(0);
    expect(startHoldsOf(crashes(2), 11_000).get(web)?.code).toBe('CrashLoop');
    expect(nextStartMs(crashes(2), 11_000)).toBe(21_000);
    expect(startHoldsOf(crashes(2), 21_000).size).toBe(0);
  });

  test('is told of once', () => {
    const { runs } = lookAtRuns(noRuns, running(1), 0);
    const first = lookAtRuns(runs, stopped(), 1000);
    expect(first.ended).toEqual([{ name: web, reason: 'crashed', times: 1, waitMs: 0 }]);
    expect(lookAtRuns(first.runs, stopped(), 2000).ended).toEqual([]);
  });

  test('has ended also if nobody has seen it run', () => {
    const runs = withStarts(noRuns, [web], 0);
    expect(lookAtRuns(runs, stopped(), 500).ended).toHaveLength(1);
  });

  test('begins anew after it has run long enough', () => {
    let runs = crashes(4);
    runs = lookAtRuns(runs, running(9), 100_000).runs;
    runs = lookAtRuns(runs, running(9), 800_000).runs;
    expect(lookAtRuns(runs, stopped(), 801_000).ended).toEqual([
      { name: web, reason: 'crashed', times: 1, waitMs: 0 },
    ]);
  });

  test('that was not seen again until it ended begins anew too', () => {
    const { runs } = lookAtRuns(crashes(4), running(9), 100_000);
    expect(lookAtRuns(runs, stopped(), 801_000).ended).toEqual([
      { name: web, reason: 'crashed', times: 1, waitMs: 0 },
    ]);
  });
});

describe('not an end by itself', () => {
  test('a stop that we have asked for', () => {
    const { runs } = lookAtRuns(noRuns, running(1), 0);
    const after = lookAtRuns(runs, stopped(true), 1000);
    expect(after.ended).toEqual([]);
    expect(lookAtRuns(after.runs, stopped(), 2000).ended).toEqual([]);
  });

  test('a guest that could not be read', () => {
    const { runs } = lookAtRuns(noRuns, running(1), 0);
    const dark = lookAtRuns(runs, world(unknown('no answer')), 1000);
    expect(dark.ended).toEqual([]);
    expect(lookAtRuns(dark.runs, stopped(), 2000).ended).toHaveLength(1);
  });

  test('one that never ran', () => {
    expect(lookAtRuns(noRuns, stopped(), 0).ended).toEqual([]);
  });
});

test('what is forgiven is started at once', () => {
  expect(startHoldsOf(forgiven(crashes(5), null), 41_000).size).toBe(0);
  expect(startHoldsOf(forgiven(crashes(5), 'db' as SecondaryName), 41_000).size).toBe(1);
});

test('a guest that is gone is forgotten', () => {
  const nobody = { domains: new Map() } as unknown as Observed;
  expect(lookAtRuns(crashes(5), nobody, 0).runs.size).toBe(0);
});
