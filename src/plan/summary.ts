/** A plan in numbers: what its last line says and what exit codes are decided on. */
import type { Plan } from './plan.ts';

export interface PlanSummary {
  readonly create: number;
  readonly update: number;
  /** Those of the updates that restart a guest. */
  readonly restart: number;
  /** Those of the updates that shut a guest down. */
  readonly stop: number;
  readonly delete: number;
  readonly blocked: number;
  readonly unchanged: number;
  /** What no document speaks of and stays all the same. */
  readonly kept: number;
  /** Volumes that are deleted with their data; they count among the deletions too. */
  readonly destroysData: number;
  /** Secondaries with changes that wait for their next start. */
  readonly waiting: number;
}

export function summarise(plan: Plan): PlanSummary {
  const count = {
    create: 0,
    update: 0,
    restart: 0,
    stop: 0,
    delete: 0,
    blocked: 0,
    unchanged: 0,
    kept: 0,
    destroysData: 0,
    waiting: 0,
  };
  for (const entry of plan.entries) {
    count[entry.kind] += 1;
    if (entry.kind === 'blocked' || entry.kind === 'kept') continue;
    if (entry.waiting.length > 0 && entry.resource.kind === 'secondary') count.waiting += 1;
    if (entry.kind === 'delete' && entry.impact === 'destroys-data') count.destroysData += 1;
    if (entry.kind !== 'update') continue;
    if (entry.impact === 'restart' || entry.impact === 'stop') count[entry.impact] += 1;
  }
  return count;
}
