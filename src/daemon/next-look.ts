/** When to look again, though nothing happens: whichever comes first. Pure: the time is given. */
import type { WakeReason } from '../report/event.ts';
import { nextTryMs, retryDelayMs, type RetryRules } from './retry.ts';
import { nextStartMs } from './runs.ts';
import type { TurnMemory } from './turn.ts';

export interface NextLookFacts {
  readonly memory: TurnMemory;
  /** Monotonic. */
  readonly nowMs: number;
  /** How long until a pause expires; null: none does. */
  readonly holdOverMs: number | null;
  readonly resyncMs: number;
  /** Looks in a row that found no host. */
  readonly unreachable: number;
  /** Whether files of the store are missing: of one that comes nothing tells. */
  readonly filesMissing: boolean;
  /** For how long something could not be listed, or be seen; null: all is. Nothing tells when it can be. */
  readonly unseenForMs: number | null;
  readonly rules: RetryRules;
  readonly random: number;
}

const filesMs = 60_000;
const unseenMsMin = 10_000;

export interface NextLook {
  readonly afterMs: number;
  readonly because: WakeReason;
}

export function nextLook(facts: NextLookFacts): NextLook {
  const { memory, nowMs, holdOverMs, resyncMs, unreachable, rules, random } = facts;
  const { filesMissing, unseenForMs } = facts;
  const looks: NextLook[] = [{ afterMs: resyncMs, because: 'resync' }];
  const add = (afterMs: number | null, because: WakeReason) => {
    if (afterMs !== null) looks.push({ afterMs: Math.max(0, afterMs), because });
  };
  const until = (atMs: number | null) => (atMs === null ? null : atMs - nowMs);
  add(until(nextTryMs(memory.failures, nowMs)), 'retry');
  add(until(nextStartMs(memory.runs, nowMs)), 'hold-over');
  add(holdOverMs, 'hold-over');
  if (filesMissing) add(filesMs, 'retry');
  // Ever more seldom, until it is as any other look.
  if (unseenForMs !== null && unreachable === 0) {
    add(Math.max(unseenMsMin, unseenForMs / 2), 'retry');
  }
  // A host that is away is never given up: nobody else would look whether it is back.
  if (unreachable > 0) add(retryDelayMs(unreachable, rules, random), 'retry');
  return looks.reduce((first, each) => (each.afterMs < first.afterMs ? each : first));
}
