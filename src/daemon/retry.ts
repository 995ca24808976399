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
  /** What it was like at the first look after that; null: there was none yet. */
  readonly state: string | null;
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
    const failed = results.find(hasFailed);
    if (failed !== undefined)
      after.set(key, failing(before.get(key), failed, nowMs, rules, random));
    else if (results.every(({ result }) => succeeded(result))) after.delete(key);
  }
  return after;
}

/** What is done for no resource: the installation's id is recorded. */
export const hostKey = 'host/installation';

function byResource(outcomes: readonly Outcome[]): ReadonlyMap<string, readonly Outcome[]> {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const { resource } = outcome.operation;
    const key = resource === null ? hostKey : resourceKey(resource);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [outcome]);
    else group.push(outcome);
  }
  return groups;
}

/** What we have broken off ourselves has not failed. */
function hasFailed({ result }: Outcome): boolean {
  return result.status === 'failed' && result.failure.code !== 'Cancelled';
}

/**
 * What the same host does not do in a minute either. A refusal is none of these: libvirt says the
 * same of a lack of memory as of a definition that it does not like.
 */
const hopeless: ReadonlySet<string> = new Set(['Unsupported', 'Protocol', 'Bug']);

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
  const again = !hopeless.has(failure?.code ?? '') && attempts < rules.attemptsMax;
  const nextTryMs = again ? nowMs + retryDelayMs(attempts, rules, random()) : null;
  return { attempts, nextTryMs, message, state: null };
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

/** When the next of them is tried again; null: none is, or it is their turn now. */
export function nextTryMs(failures: Failures, nowMs: number): number | null {
  const times = [...failures.values()].flatMap(({ nextTryMs: at }) =>
    at === null || at <= nowMs ? [] : [at],
  );
  return times.length === 0 ? null : Math.min(...times);
}

/**
 * What no longer differs has not failed, and what has changed since is another thing to try.
 * @param stateOf of what has failed, by `resourceKey`; null: nothing differs any more
 */
export function stillFailing(
  failures: Failures,
  stateOf: (key: string) => string | null,
): Failures {
  const left = new Map<string, Failing>();
  for (const [key, failure] of failures) {
    const state = stateOf(key);
    if (state === null) continue;
    if (failure.state === null) left.set(key, { ...failure, state });
    else if (failure.state === state) left.set(key, failure);
  }
  return left;
}
