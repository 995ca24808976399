import { describe, expect, test } from 'vitest';
import type { Observed } from '../../../src/model/domain.ts';
import { present } from '../../../src/model/observation.ts';
import type { SliceUsage } from '../../../src/model/slice.ts';
import type { SliceFindings } from '../../../src/report/slice-findings.ts';
import { sliceStatements } from '../../../src/report/slice-statements.ts';

const crashed = present({ power: { status: 'stopped', reason: 'crashed' } });

function said(usage: Partial<SliceUsage>, slice: Partial<SliceFindings> = {}): readonly string[] {
  const observed = {
    slice: present({ usage: { oomKills: 0, memoryPressure: 0, ...usage } }),
    domains: new Map([['old', crashed]]),
  } as unknown as Observed;
  const findings = { isThrottled: false, victims: null, ...slice };
  return sliceStatements({ observed, slice: findings }).map(
    ({ type, message }) => `${type}: ${message}`,
  );
}

test('of a slice that is well nothing is said', () => {
  expect(said({ memoryPressure: 9.99 })).toEqual([]);
});

describe('who was killed', () => {
  const once = 'OomKilled: memory ran out in the partition, and the kernel has killed once';

  test('is who has crashed with it, and nobody who crashed at another time', () => {
    expect(said({ oomKills: 1 }, { victims: ['web' as never, 'db' as never] })).toEqual([
      `${once}; with the last of it web, db crashed`,
    ]);
  });

  test('is something else if nobody has', () => {
    expect(said({ oomKills: 1 }, { victims: [] })).toEqual([
      `${once}; with the last of it no guest crashed: it was something else in the slice, such as a worker`,
    ]);
  });

  test('is guessed from who is crashed now where nobody has watched', () => {
    expect(said({ oomKills: 1 })).toEqual([`${once}; old crashed`]);
  });
});

test('figures that move with every look are not repeated', () => {
  const more = 'MemoryPressure: for more than 10 % of the time everybody in it waits for memory';
  const half = 'MemoryPressure: for more than half of the time everybody in it waits for memory';
  expect(said({ memoryPressure: 10 })).toEqual([more]);
  expect(said({ memoryPressure: 49.9 })).toEqual([more]);
  expect(said({ memoryPressure: 50 })).toEqual([half]);
  expect(said({ memoryPressure: 99 })).toEqual([half]);
});

test('guests that are held back are told of', () => {
  expect(said({ throttledUs: 5 }, { isThrottled: true })).toEqual([
    'CpuThrottled: for a good part of the time that its guests could have run they waited for limits.vcpus',
  ]);
});
