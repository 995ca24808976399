/**
 * A plan for programs. Field names and the words in them are an interface: within `v1` they are
 * only ever added to.
 */
import type { FieldChange } from '../../diff/fields.ts';
import { describe } from '../../plan/describe.ts';
import type { PlanEntry } from '../../plan/entry.ts';
import type { Plan } from '../../plan/plan.ts';
import { summarise } from '../../plan/summary.ts';
import { PLAN_API_VERSION, type PlanDocument } from './plan-schema.ts';

export function planJson(plan: Plan): PlanDocument {
  return {
    apiVersion: PLAN_API_VERSION,
    partition: plan.partition,
    installation: plan.installation,
    summary: summarise(plan),
    changes: plan.entries.map(entryJson),
    operations: plan.operations.map((operation) => ({
      id: operation.id,
      kind: operation.kind,
      secondary: operation.resource?.kind === 'secondary' ? operation.resource.name : null,
      resource: operation.resource,
      phase: operation.phase,
      after: [...operation.after],
      description: describe(operation),
    })),
  };
}

function entryJson(entry: PlanEntry): PlanDocument['changes'][number] {
  const { name, kind: resource } = entry.resource;
  switch (entry.kind) {
    case 'blocked':
      return { resource, name, action: entry.kind, block: entry.block };
    case 'unchanged':
      return { resource, name, action: entry.kind, waiting: entry.waiting.map(fieldJson) };
    case 'kept':
      return { resource, name, action: entry.kind };
    case 'create':
    case 'update':
    case 'delete':
      return {
        resource,
        name,
        action: entry.kind,
        impact: entry.impact,
        reasons: [...entry.reasons],
        fields: entry.fields.map(fieldJson),
        waiting: entry.waiting.map(fieldJson),
        operations: [...entry.operations],
      };
  }
}

function fieldJson({ path, from, to, impact, origin }: FieldChange) {
  return { path, from, to, impact, origin };
}
