import { describe, expect, test } from 'vitest';
import {
  afterPass,
  holdsOf,
  nextTryMs,
  noFailures,
  retryDelayMs,
  stillFailing,
} from '../../../src/daemon/retry.ts';
import type { Failure, Outcome, Result } from '../../../src/execute/outcome.ts';
import type { Operation } from '../../../src/plan/operation.ts';

const rules = { attemptsMax: 3, delayMsMin: 1000, delayMsMax: 60_000 };
const never = () => 0;

function outcome(name: string, result: Result): Outcome {
  const operation = {
    id: `start/${name}`,
    kind: 'domain.start',
    resource: { kind: 'secondary', name },
  };
  return { operation: operation as unknown as Operation, result, durationMs: 1 };
}

function failed(name: string, failure: Partial<Failure> = {}): Outcome {
  const whole = { code: 'Timeout', message: 'too slow', retryable: true, ...failure } as const;
  return outcome(name, { status: 'failed', failure: whole });
}

function tries(count: number, failure: Partial<Failure> = {}) {
  let failures = noFailures;
  for (let at = 0; at < count; at += 1) {
    failures = afterPass(failures, [failed('web', failure)], 1000 * at, rules, never);
  }
  return failures;
}

describe('the wait after a failure', () => {
  test('doubles, is capped, and is cut by up to half', () => {
    expect([1, 2, 3].map((attempts) => retryDelayMs(attempts, rules, 0))).toEqual([
      1000, 2000, 4000,
    ]);
    expect(retryDelayMs(30, rules, 0)).toBe(60_000);
    expect(retryDelayMs(1, rules, 1)).toBe(500);
  });
});

describe('what has failed', () => {
  test('waits, and is tried again when the wait is over', () => {
    const failures = tries(1);
    expect(holdsOf(failures, 999).get('secondary/web')?.code).toBe('BackOff');
    expect(holdsOf(failures, 1000).size).toBe(0);
    expect(nextTryMs(failures, 0)).toBe(1000);
    expect(nextTryMs(failures, 1000)).toBeNull();
  });

  test('is given up after as many failures as may be, with the reason', () => {
    const failures = tries(3);
    expect(nextTryMs(failures, 0)).toBeNull();
    expect(holdsOf(failures, 1e12).get('secondary/web')).toEqual({
      code: 'GaveUp',
      message: 'it has failed 3 times: Timeout: too slow',
    });
  });

  test('is given up at once where trying again mends nothing', () => {
    const failures = tries(1, { code: 'Unsupported', retryable: false });
    expect(holdsOf(failures, 0).get('secondary/web')?.code).toBe('GaveUp');
  });

  test('is forgotten when it succeeds', () => {
    const after = afterPass(tries(2), [outcome('web', { status: 'already' })], 5000, rules, never);
    expect(after.size).toBe(0);
  });

  test('is not forgotten when it was not tried', () => {
    const skipped = outcome('web', { status: 'cancelled' });
    expect(afterPass(tries(2), [skipped], 5000, rules, never)).toEqual(tries(2));
  });

  test('is tried again when it was refused: a lack of memory is a refusal too', () => {
    const failures = tries(1, { code: 'Refused', retryable: false });
    expect(holdsOf(failures, 0).get('secondary/web')?.code).toBe('BackOff');
  });

  test('is forgotten when nothing differs any more', () => {
    expect(stillFailing(tries(2), () => null).size).toBe(0);
    expect(stillFailing(tries(2), () => 'stopped').size).toBe(1);
  });

  test('is another thing to try when it has changed since', () => {
    const seen = stillFailing(tries(3), () => 'running');
    expect(stillFailing(seen, () => 'running').size).toBe(1);
    expect(stillFailing(seen, () => 'stopped').size).toBe(0);
  });

  test('has not failed if we have broken it off', () => {
    const off = failed('web', { code: 'Cancelled', retryable: false });
    expect(afterPass(noFailures, [off], 0, rules, never).size).toBe(0);
  });

  test('keeps nobody else waiting', () => {
    const outcomes = [failed('web'), outcome('db', { status: 'applied', detail: '' })];
    expect([...afterPass(noFailures, outcomes, 0, rules, never).keys()]).toEqual(['secondary/web']);
  });
});
