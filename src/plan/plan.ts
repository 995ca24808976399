/**
 * From changes to a plan: every operation in execution order, with nothing left to decide. The
 * same changes give the same plan, byte for byte. What `plan` prints is what `apply` runs.
 */
import type { Block, Change } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import type { Observed, Platform } from '../model/domain.ts';
import type { InstallationId } from '../model/identity.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import { guard, type Guards } from './guards.ts';
import { type Operation, type OperationId, operationId, PHASES } from './operation.ts';
import {
  createSteps,
  type DeletionContext,
  deleteSteps,
  type PlanContext,
  type Steps,
  updateSteps,
  type Work,
} from './steps.ts';
import { startOrder, withStartOrder } from './start-order.ts';

export type PlanEntry =
  | ({ readonly kind: 'create' | 'update' | 'delete'; readonly name: SecondaryName } & PlannedWork)
  | { readonly kind: 'blocked'; readonly name: SecondaryName; readonly block: Block }
  | {
      readonly kind: 'unchanged';
      readonly name: SecondaryName;
      /** What the running guest does not have yet and takes at its next start. */
      readonly waiting: readonly FieldChange[];
    };

export interface PlannedWork extends Work {
  /** In execution order. */
  readonly operations: readonly OperationId[];
}

export interface Plan {
  readonly partition: PartitionName;
  readonly installation: InstallationId;
  /** By name, everything that was looked at. */
  readonly entries: readonly PlanEntry[];
  /** In execution order: by phase, then by start order, then by name. */
  readonly operations: readonly Operation[];
}

export type PlanOptions = DeletionContext & Guards;

export function makePlan(
  changes: readonly Change[],
  observed: Observed,
  options: PlanOptions,
): Plan {
  const context = {
    installation: observed.installation,
    partition: observed.partition,
    platform: platformOf(observed),
    deletionReason: options.deletionReason,
    deletionGraceMs: options.deletionGraceMs,
  };
  const guarded = guard(changes, options);
  const planned = new Map(guarded.map((change) => [change.name, planChange(change, context)]));
  const operations = startOrder(guarded).names.flatMap(
    (name) => planned.get(name)?.operations ?? [],
  );
  return {
    partition: observed.partition,
    installation: observed.installation,
    entries: [...planned.values()].map(({ entry }) => entry),
    operations: inPhases(withInstallation(withStartOrder(operations, guarded), observed)),
  };
}

/** Only read for what needs it: with unknown facts, `diff` has blocked every create and start. */
function platformOf({ facts }: Observed): Platform {
  return facts.status === 'present' ? facts.value.platform : { domainType: 'none', machine: null };
}

interface PlannedChange {
  readonly entry: PlanEntry;
  readonly operations: readonly Operation[];
}

function planChange(change: Change, context: PlanContext & DeletionContext): PlannedChange {
  switch (change.kind) {
    case 'blocked':
      return { entry: change, operations: [] };
    case 'create':
      return entryOf('create', change.name, createSteps(change.secondary, context));
    case 'delete':
      return entryOf('delete', change.name, deleteSteps(change, context));
    case 'update':
      return entryOf('update', change.name, updateSteps(change, context));
  }
}

function entryOf(
  kind: 'create' | 'update' | 'delete',
  name: SecondaryName,
  { operations, ...work }: Steps,
): PlannedChange {
  if (operations.length === 0) {
    return { entry: { kind: 'unchanged', name, waiting: work.waiting }, operations };
  }
  return { entry: { kind, name, ...work, operations: operations.map(({ id }) => id) }, operations };
}

/** The id is on disk before the first thing that derives from it is made. */
function withInstallation(
  operations: readonly Operation[],
  observed: Observed,
): readonly Operation[] {
  if (observed.installationRecorded || operations.length === 0) return operations;
  const id = operationId('installation.record', null);
  const record: Operation = {
    kind: 'installation.record',
    id,
    secondary: null,
    phase: 'prepare',
    after: [],
    installation: observed.installation,
  };
  return [record, ...operations.map((step) => ({ ...step, after: [id, ...step.after] }))];
}

/** Stable: within a phase the order stays as it is, and one VM's steps stay in theirs. */
function inPhases(operations: readonly Operation[]): readonly Operation[] {
  return PHASES.flatMap((phase) => operations.filter((operation) => operation.phase === phase));
}
