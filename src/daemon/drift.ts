/** What kinds of difference a plan is about, for metrics and events. */
import type { PlanEntry } from '../plan/entry.ts';
import type { DriftClass } from '../report/event.ts';

/** Each class once, in the order of coming. What the documents themselves have changed is no drift. */
export function driftIn(entries: readonly PlanEntry[]): readonly DriftClass[] {
  return [...new Set(entries.flatMap(classesOf))];
}

function classesOf(entry: PlanEntry): readonly DriftClass[] {
  if (entry.kind !== 'create' && entry.kind !== 'update' && entry.kind !== 'delete') return [];
  const { kind } = entry.resource;
  if (kind === 'network') return ['network'];
  if (kind === 'filter') return ['filter'];
  if (kind === 'nic') return ['network'];
  if (kind === 'slice') return ['slice'];
  // What its Secondaries need is no drift.
  if (kind === 'primary') return [];
  // Nothing on the host has gone astray where bytes are to come in.
  if (kind === 'intake' || kind === 'image-disk') return [];
  if (kind === 'volume' || kind === 'image' || kind === 'seed') return ['storage'];
  if (entry.kind === 'create') return ['missing'];
  if (entry.kind === 'delete') return ['extra'];
  return entry.reasons.flatMap((reason): readonly DriftClass[] => {
    switch (reason) {
      case 'changed-outside':
        return ['definition'];
      case 'definition-gone':
        return ['missing'];
      case 'not-running':
      case 'paused':
      case 'should-be-halted':
        return ['power'];
      case 'not-on-host':
      case 'document-changed':
      case 'stop-noted':
      case 'not-in-documents':
      case 'asked-for':
      case 'half-made':
      case 'not-active':
      case 'reservations-changed':
      case 'carved':
      case 'not-lent':
      case 'images-taken':
        return [];
    }
  });
}
