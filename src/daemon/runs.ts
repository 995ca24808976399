/**
 * Guests that end by themselves, and how long their next start waits. The first end is followed by
 * a start at once; each further one, soon after its start, by a longer wait (Kubernetes' crash-loop
 * back-off: 10 s, doubled, at most 5 minutes, forgotten after 10 minutes of running). Kept in memory
 * only: a daemon that starts anew tries anew. Pure: the time is given.
 */
import type { Block } from '../diff/change.ts';
import type { Observed, ObservedDomain, StopReason } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';

const firstWaitMs = 10_000;
const waitMsMax = 300_000;
/** A guest that has run so long does not crash-loop. */
const steadyMs = 600_000;

interface Run {
  /** libvirt's id of it; null: started, and not seen running yet. */
  readonly id: number | null;
  /** Monotonic. */
  readonly sinceMs: number;
}

export interface RunRecord {
  /** The one that is thought to go on; null: none. */
  readonly run: Run | null;
  /** How often in a row it has ended by itself soon after its start. */
  readonly endings: number;
  /** Monotonic: not started before. */
  readonly notBeforeMs: number;
}

export type Runs = ReadonlyMap<SecondaryName, RunRecord>;

export interface GuestEnd {
  readonly name: SecondaryName;
  readonly reason: StopReason;
  readonly times: number;
  readonly waitMs: number;
}

export const noRuns: Runs = new Map();

/** What one look at the host says about who has ended since the last one. */
export function lookAtRuns(
  before: Runs,
  { domains }: Observed,
  nowMs: number,
): { readonly runs: Runs; readonly ended: readonly GuestEnd[] } {
  const runs = new Map<SecondaryName, RunRecord>();
  const ended: GuestEnd[] = [];
  for (const [name, seen] of domains) {
    const record = before.get(name) ?? neverRun;
    // Who could not be read may still run.
    if (seen.status === 'unknown') runs.set(name, record);
    if (seen.status !== 'present') continue;
    const after = seen.value.runId === null ? record : running(record, seen.value.runId, nowMs);
    const gone = seen.value.runId === null && record.run !== null;
    // That we have stopped it says nothing about the guest.
    const byItself = gone && !seen.value.stopAsked;
    const left = byItself ? afterEnd(record, record.run, nowMs) : after;
    runs.set(name, gone ? { ...left, run: null } : left);
    if (byItself) ended.push(endOf(name, seen.value, left.endings));
  }
  return { runs, ended };
}

function endOf(name: SecondaryName, { power }: ObservedDomain, times: number): GuestEnd {
  const reason = power.status === 'stopped' ? power.reason : 'unknown';
  return { name, reason, times, waitMs: waitMs(times) };
}

const neverRun: RunRecord = { run: null, endings: 0, notBeforeMs: 0 };

function running(record: RunRecord, id: number, nowMs: number): RunRecord {
  const known = record.run;
  const same = known !== null && (known.id === null || known.id === id);
  const run = { id, sinceMs: same ? known.sinceMs : nowMs };
  return { ...record, run, endings: isSteady(run, nowMs) ? 0 : record.endings };
}

function afterEnd(record: RunRecord, run: Run, nowMs: number): RunRecord {
  const endings = isSteady(run, nowMs) ? 1 : record.endings + 1;
  return { ...record, endings, notBeforeMs: nowMs + waitMs(endings) };
}

function isSteady({ sinceMs }: Run, nowMs: number): boolean {
  return nowMs - sinceMs >= steadyMs;
}

/** After so many ends in a row. */
export function waitMs(endings: number): number {
  return endings < 2 ? 0 : Math.min(waitMsMax, firstWaitMs * 2 ** (endings - 2));
}

/** A guest can have ended again before anybody has looked, so a start counts from when it was done. */
export function withStarts(runs: Runs, names: Iterable<SecondaryName>, nowMs: number): Runs {
  const after = new Map(runs);
  for (const name of names) {
    const record = after.get(name) ?? neverRun;
    after.set(name, { ...record, run: { id: null, sinceMs: nowMs } });
  }
  return after;
}

/** Whose start waits, as blocks for the next plan. */
export function startHoldsOf(runs: Runs, nowMs: number): ReadonlyMap<SecondaryName, Block> {
  const holds = new Map<SecondaryName, Block>();
  for (const [name, { endings, notBeforeMs }] of runs) {
    if (notBeforeMs <= nowMs) continue;
    const message = `its guest has ended ${endings} times in a row, each soon after its start`;
    holds.set(name, { code: 'CrashLoop', message });
  }
  return holds;
}

/** When the next wait is over; null: nobody waits. */
export function nextStartMs(runs: Runs, nowMs: number): number | null {
  const times = [...runs.values()].map((each) => each.notBeforeMs).filter((at) => at > nowMs);
  return times.length === 0 ? null : Math.min(...times);
}

/** New documents, or a person, start it at once. @param name null: everybody */
export function forgiven(runs: Runs, name: SecondaryName | null): Runs {
  const forgive = (each: SecondaryName) => name === null || name === each;
  return new Map(
    [...runs].map(([each, record]) => [
      each,
      forgive(each) ? { ...record, endings: 0, notBeforeMs: 0 } : record,
    ]),
  );
}
