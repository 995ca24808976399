/** Wishes for a guest's power, and which of them the world has fulfilled already. */
import type { PowerRequest } from '../diff/change.ts';
import type { Outcome } from '../execute/outcome.ts';
import { succeeded } from '../execute/outcome.ts';
import type { Observed } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Request } from './turn-input.ts';

export type Requests = ReadonlyMap<SecondaryName, Request>;

/** Those that are no longer to be done, be it because a crash came between doing and noting it. */
export function fulfilled(requests: Requests, { domains }: Observed): readonly SecondaryName[] {
  return [...requests].flatMap(([name, { action, runId }]) => {
    const seen = domains.get(name);
    if (seen?.status === 'unknown') return [];
    // Of one that is gone nothing more can be asked.
    if (seen === undefined || seen.status === 'absent') return [name];
    const now = seen.value.runId;
    switch (action) {
      case 'start':
        return now === null ? [] : [name];
      case 'stop':
        return now === null ? [name] : [];
      case 'restart':
        // Another run than the one that was asked about.
        return now !== null && now !== runId ? [name] : [];
    }
  });
}

/** What a pass has carried out. A guest that ended right after its start was started all the same. */
export function carriedOut(
  requests: Requests,
  outcomes: readonly Outcome[],
): readonly SecondaryName[] {
  const last = { start: 'domain.start', restart: 'domain.start', stop: 'domain.stop' } as const;
  return [...requests].flatMap(([name, { action }]) => {
    const done = outcomes.some(
      ({ operation, result }) =>
        operation.resource?.kind === 'secondary' &&
        operation.resource.name === name &&
        operation.kind === last[action] &&
        succeeded(result),
    );
    return done ? [name] : [];
  });
}

export function actionsOf(
  requests: Requests,
  without: readonly SecondaryName[],
): ReadonlyMap<SecondaryName, PowerRequest> {
  return new Map(
    [...requests]
      .filter(([name]) => !without.includes(name))
      .map(([name, { action }]) => [name, action]),
  );
}
