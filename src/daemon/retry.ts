/**
 * What has failed, thing by thing, and when it is tried again. One thing that fails never keeps the
 * rest of its partition waiting. Waits double, are capped, and are cut by up to half at random, so
 * that what failed together does not come back together. Pure: the time and the chance are given.
 */
import type { Outcome } from '../execute/outcome.ts';
import { succeeded } from '../execute/outcome.ts';
import { resourceKey } from '../model/resource.ts';
import type { Block } from '../diff/change.ts';

export interface RetryRules {
  /** Failures in a row until nothing is tried any more, from 1. */
  readonly attemptsMax: number;
  /** The wait after the first failure. */
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

/** One thing that has failed. */
export interface Failing {
  /** In a row. */
  readonly attempts: number;
  /** Monotonic; null: not again by itself. */
  readonly nextTryMs: number | null;
  readonly message: string;
  /** Whether trying again could have mended it. */
  readonly retryable: boolean;
}

/** By `resourceKey`. */
export type Failures = ReadonlyMap<string, Failing>;

export const noFailures: Failures = new Map();

export function retryDelayMs(attempts: number, rules: RetryRules, random: number): number {
  const delayMs = Math.min(rules.delayMsMax, rules.delayMsMin * 2 ** (attempts - 1));
  return delayMs * (1 - random / 2);
}

/** @param nowMs monotonic */
export function afterPass(
  before: Failures,
  outcomes: readonly Outcome[],
  nowMs: number,
  rules: RetryRules,
  random: () => number,
): Failures {
  const after = new Map(before);
  for (const [key, results] of byResource(outcomes)) {
    const failed = results.find(({ result }) => result.status === 'failed');
    if (failed !== undefined)
      after.set(key, failing(before.get(key), failed, nowMs, rules, random));
    else if (results.every(({ result }) => succeeded(result))) after.delete(key);
  }
  return after;
}

function byResource(outcomes: readonly Outcome[]): ReadonlyMap<string, readonly Outcome[]> {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const { resource } = outcome.operation;
    if (resource === null) continue;
    const key = resourceKey(resource);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [outcome]);
    else group.push(outcome);
  }
  return groups;
}

function failing(
  before: Failing | undefined,
  { result }: Outcome,
  nowMs: number,
  rules: RetryRules,
  random: () => number,
): Failing {
  const attempts = (before?.attempts ?? 0) + 1;
  // Only what has failed comes here.
  const failure = result.status === 'failed' ? result.failure : null;
  const message = failure === null ? result.status : `${failure.code}: ${failure.message}`;
  const retryable = failure?.retryable ?? true;
  const again = retryable && attempts < rules.attemptsMax;
  const nextTryMs = again ? nowMs + retryDelayMs(attempts, rules, random()) : null;
  return { attempts, nextTryMs, message, retryable };
}

/** What waits, as blocks for the next plan, by `resourceKey`. */
export function holdsOf(failures: Failures, nowMs: number): ReadonlyMap<string, Block> {
  const holds = new Map<string, Block>();
  for (const [key, { nextTryMs, attempts, message }] of failures) {
    const times = attempts === 1 ? 'once' : `${attempts} times`;
    if (nextTryMs === null) {
      holds.set(key, { code: 'GaveUp', message: `it has failed ${times}: ${message}` });
    } else if (nextTryMs > nowMs) {
      holds.set(key, { code: 'BackOff', message: `it has failed ${times}: ${message}` });
    }
  }
  return holds;
}

/** When the first of them is tried again; null: none is. */
export function nextTryMs(failures: Failures): number | null {
  const times = [...failures.values()].flatMap((each) => each.nextTryMs ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** What is no longer there, or no longer differs, has not failed. @param alive by `resourceKey` */
export function pruned(failures: Failures, alive: (key: string) => boolean): Failures {
  return new Map([...failures].filter(([key]) => alive(key)));
}
