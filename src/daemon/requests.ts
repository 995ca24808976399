/** Wishes for a guest's power, and which of them the world has fulfilled already. */
import type { PowerRequest } from '../diff/change.ts';
import type { Outcome } from '../execute/outcome.ts';
import { succeeded } from '../execute/outcome.ts';
import type { Observed, ObservedDomain } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import { absent } from '../model/observation.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Request } from './turn-input.ts';

export type Requests = ReadonlyMap<SecondaryName, Request>;

/** Those that are no longer to be done, be it because a crash came between doing and noting it. */
export function fulfilled(
  requests: Requests,
  { domains }: Observed,
  { secondaries }: DesiredState,
): readonly Request[] {
  return [...requests].flatMap(([name, request]) => {
    const seen = domains.get(name) ?? absent;
    switch (seen.status) {
      case 'unknown':
        return [];
      case 'absent':
        // One that is still to be made can still be asked for.
        return secondaries.has(name) ? [] : [request];
      case 'present':
        return isDone(request, seen.value) ? [request] : [];
    }
  });
}

function isDone({ action, runId }: Request, { runId: now, power }: ObservedDomain): boolean {
  switch (action) {
    case 'start':
      return power.status === 'running';
    case 'stop':
      return now === null;
    case 'restart':
      // Another run than the one that was asked about.
      return now !== null && now !== runId;
  }
}

/** What a pass has carried out. A guest that ended right after its start was started all the same. */
export function carriedOut(requests: Requests, outcomes: readonly Outcome[]): readonly Request[] {
  const last = { start: 'domain.start', restart: 'domain.start', stop: 'domain.stop' } as const;
  return [...requests].flatMap(([name, request]) => {
    const { action } = request;
    const done = outcomes.some(
      ({ operation, result }) =>
        operation.resource?.kind === 'secondary' &&
        operation.resource.name === name &&
        operation.kind === last[action] &&
        succeeded(result),
    );
    return done ? [request] : [];
  });
}

export function actionsOf(
  requests: Requests,
  without: readonly Request[],
): ReadonlyMap<SecondaryName, PowerRequest> {
  return new Map(
    [...requests]
      .filter(([, request]) => !without.includes(request))
      .map(([name, { action }]) => [name, action]),
  );
}
