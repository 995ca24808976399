import { describe, expect, test } from 'vitest';
import { reconnectDelayMs, retryUntilDone } from '../../../src/libvirt/reconnect.ts';
import { ManualTimers } from './manual-timers.ts';

const options = { delayMsMin: 100, delayMsMax: 1000 };
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('reconnectDelayMs', () => {
  test('doubles up to its cap', () => {
    const delays = [0, 1, 2, 3, 4, 1000].map((attempt) => reconnectDelayMs(attempt, options, 0));
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  test('is cut by up to half at random', () => {
    expect(reconnectDelayMs(0, options, 0.5)).toBe(75);
    expect(reconnectDelayMs(9, options, 0.999_999)).toBeGreaterThan(500);
  });
});

describe('retryUntilDone', () => {
  test('waits, tries, and stops at the first success', async () => {
    const timers = new ManualTimers();
    const attempts: number[] = [];
    const done = retryUntilDone(
      async () => {
        attempts.push(attempts.length);
        if (attempts.length < 3) throw new Error('not yet');
      },
      options,
      timers,
      new AbortController().signal,
    );
    expect([attempts.length, timers.delaysMs]).toEqual([0, [100]]);
    timers.advance(100);
    await settled();
    expect([attempts.length, timers.delaysMs]).toEqual([1, [200]]);
    timers.advance(200);
    await settled();
    timers.advance(400);
    await done;
    expect([attempts.length, timers.delaysMs]).toEqual([3, []]);
  });

  test('ends in the middle of a wait', async () => {
    const timers = new ManualTimers();
    const controller = new AbortController();
    const done = retryUntilDone(
      () => Promise.reject(new Error('never')),
      options,
      timers,
      controller.signal,
    );
    controller.abort();
    await done;
    expect(timers.delaysMs).toEqual([]);
  });
});
