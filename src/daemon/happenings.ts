/** What a pass has done and found, as events. */
import type { Outcome, Result } from '../execute/outcome.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { Plan } from '../plan/plan.ts';
import type { Condition } from '../report/condition.ts';
import type { DaemonEvent, WakeReason } from '../report/event.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { driftIn } from './drift.ts';

export function operationEvent(
  partition: PartitionName,
  { operation, result, durationMs }: Outcome,
): DaemonEvent {
  return {
    kind: 'operation-finished',
    partition,
    operation: operation.kind,
    resource: operation.resource,
    outcome: result.status,
    durationMs: Math.round(durationMs),
    detail: detailOf(result),
  };
}

function detailOf(result: Result): string {
  switch (result.status) {
    case 'applied':
      return result.detail;
    case 'already':
    case 'cancelled':
      return '';
    case 'failed':
      return `${result.failure.code}: ${result.failure.message}`;
    case 'skipped':
      return `because ${result.because} did not succeed`;
  }
}

export function passFinished(
  partition: PartitionName,
  because: readonly WakeReason[],
  { operations, entries }: Plan,
  outcomes: readonly Outcome[],
  durationMs: number,
): DaemonEvent {
  return {
    kind: 'pass-finished',
    partition,
    because,
    durationMs: Math.round(durationMs),
    operations: operations.length,
    failed: outcomes.filter(({ result }) => result.status === 'failed').length,
    blocked: entries.filter(({ kind }) => kind === 'blocked').length,
    drift: driftIn(entries),
  };
}

/** More than this in one status is for the status itself to say, not for a log. */
const changesToldMax = 100;

/** One for each statement that is another than it was, the partition's own first; or how many more. */
export function conditionEvents(
  before: PartitionStatus | null,
  after: PartitionStatus,
): readonly DaemonEvent[] {
  const { partition } = after;
  const earlier = new Map(before?.secondaries.map((each) => [each.name, each.conditions]));
  const changes = [
    ...changesOf(null, before?.conditions ?? [], after.conditions),
    ...after.secondaries.flatMap(({ name, conditions }) =>
      changesOf(name, earlier.get(name) ?? [], conditions),
    ),
  ];
  const told = changes
    .slice(0, changesToldMax)
    .map((change): DaemonEvent => ({ kind: 'condition-changed', partition, ...change }));
  const count = changes.length - told.length;
  return count === 0 ? told : [...told, { kind: 'conditions-changed', partition, count }];
}

function changesOf(
  secondary: SecondaryName | null,
  was: readonly Condition[],
  is: readonly Condition[],
) {
  return changedIn(was, is).map(({ type, status, reason, message }) => {
    return { secondary, type, status, reason, message };
  });
}

/** One that is no longer said is false. */
function changedIn(was: readonly Condition[], is: readonly Condition[]): readonly Condition[] {
  const before = new Map(was.map((condition) => [condition.type, condition]));
  const now = new Set(is.map(({ type }) => type));
  return [
    ...is.filter((condition) => {
      const known = before.get(condition.type);
      return known?.status !== condition.status || known.reason !== condition.reason;
    }),
    ...was
      .filter(({ type, status }) => !now.has(type) && status !== 'False')
      .map((condition) => ({ ...condition, status: 'False', message: '' }) as const),
  ];
}
