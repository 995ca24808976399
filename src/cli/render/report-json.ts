/** A report for programs; the same promise as for the plan it belongs to. */
import type { Report } from '../../execute/outcome.ts';

export function reportJson(report: Report): object {
  return {
    apiVersion: 'unnest.dev/report/v1',
    durationMs: Math.round(report.durationMs),
    outcomes: report.outcomes.map(({ operation, result, durationMs }) => ({
      id: operation.id,
      ...result,
      durationMs: Math.round(durationMs),
    })),
  };
}
