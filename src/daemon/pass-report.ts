/** One pass in numbers, and what has failed in it in words. */
import type { Outcome } from '../execute/outcome.ts';
import type { WakeReason } from '../report/event.ts';
import type { PassReport } from '../report/partition-status.ts';
import type { Resource } from '../model/resource.ts';

const failuresMax = 20;

/** @param at when it ended: ISO 8601, UTC */
export function passReport(
  because: readonly WakeReason[],
  outcomes: readonly Outcome[],
  durationMs: number,
  at: string,
): PassReport {
  const count = { applied: 0, already: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const { result } of outcomes) count[result.status] += 1;
  const failures = outcomes.flatMap(({ operation, result }) =>
    result.status === 'failed'
      ? [
          `${nameOf(operation.resource)}: ${operation.kind}: ${result.failure.code}: ${result.failure.message}`,
        ]
      : [],
  );
  return {
    at,
    because,
    durationMs: Math.round(durationMs),
    ...count,
    failures: failures.slice(0, failuresMax),
  };
}

function nameOf(resource: Resource | null): string {
  return resource === null ? 'host' : `${resource.kind} ${resource.name}`;
}
