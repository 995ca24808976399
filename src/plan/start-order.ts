/**
 * `startAfter`: a Secondary is started when those it names run. Whether they do is known before the
 * first operation, so what cannot be started is blocked as a whole, with the name of what it lacks.
 */
import type { Change } from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import type { Operation, OperationId } from './operation.ts';
import { wantsStart } from './run-policy.ts';

export interface StartOrder {
  /** Deepest dependency first, then by name. */
  readonly names: readonly SecondaryName[];
  /** Why a Secondary cannot be started by this plan. */
  readonly unmet: ReadonlyMap<SecondaryName, string>;
}

export function startOrder(changes: readonly Change[]): StartOrder {
  const byName = new Map(changes.map((change) => [change.name, change]));
  const unmet = new Map<SecondaryName, string>();
  const names: SecondaryName[] = [];
  const visited = new Set<SecondaryName>();
  const visit = (change: Change): void => {
    if (visited.has(change.name)) return;
    visited.add(change.name);
    const secondary = secondaryOf(change);
    for (const name of secondary?.startAfter ?? []) {
      const dependency = byName.get(name);
      if (dependency !== undefined) visit(dependency);
      if (!wantsStart(change) || unmet.has(change.name)) continue;
      if (!willRun(dependency, unmet))
        unmet.set(change.name, `it starts after ${name}, which does not run`);
    }
    names.push(change.name);
  };
  changes.forEach(visit);
  return { names, unmet };
}

/** Start operations wait for those of what they start after, where this plan starts them too. */
export function withStartOrder(
  operations: readonly Operation[],
  changes: readonly Change[],
): readonly Operation[] {
  const starting = new Map<SecondaryName, OperationId>();
  for (const operation of operations) {
    const { kind, phase, id } = operation;
    const secondary = secondaryIn(operation);
    if (kind === 'domain.start' && phase === 'acquire' && secondary !== null) {
      starting.set(secondary, id);
    }
  }
  const dependencies = new Map(
    changes.map((change) => [change.name, secondaryOf(change)?.startAfter ?? []]),
  );
  return operations.map((operation) => {
    const { id } = operation;
    const secondary = secondaryIn(operation);
    if (secondary === null || starting.get(secondary) !== id) return operation;
    const more = (dependencies.get(secondary) ?? []).flatMap((name) => starting.get(name) ?? []);
    return more.length === 0 ? operation : { ...operation, after: [...operation.after, ...more] };
  });
}

function secondaryIn({ resource }: Operation): SecondaryName | null {
  // Names of Secondaries come from changes of Secondaries only.
  return resource?.kind === 'secondary' ? (resource.name as SecondaryName) : null;
}

function secondaryOf(change: Change): Secondary | null {
  return change.kind === 'create' || change.kind === 'update' ? change.secondary : null;
}

/** Whether it runs, or is started by this plan. */
function willRun(change: Change | undefined, unmet: ReadonlyMap<SecondaryName, string>): boolean {
  if (change === undefined || unmet.has(change.name)) return false;
  if (wantsStart(change)) return true;
  return change.kind === 'update' && change.power !== 'stop' && change.observed.live !== null;
}
