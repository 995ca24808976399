/**
 * `startAfter`: a Secondary is started when those it names are ready. Whether they can be is known
 * before the first operation, so what cannot be started is blocked as a whole, with the name of what
 * it lacks. Whom this plan starts is waited for; who runs and is not ready yet is for a later plan.
 */
import type { Change } from '../diff/change.ts';
import type { Observed, ObservedDomain } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import type { SecondaryName } from '../model/names.ts';
import { awaitedBy, canPass, checkOf, lackedFor } from '../model/readiness.ts';
import type { Secondary } from '../model/secondary.ts';
import { type Operation, operationId, type OperationOf } from './operation.ts';
import { wantsStart } from './run-policy.ts';
import type { Watch } from './wishes.ts';

export interface StartOrder {
  /** Deepest dependency first, then by name. */
  readonly names: readonly SecondaryName[];
  /** Why a Secondary cannot be started by this plan. */
  readonly unmet: ReadonlyMap<SecondaryName, string>;
}

export function startOrder(
  changes: readonly Change[],
  observed: Observed,
  watch: Watch,
): StartOrder {
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
      const lack = lackOf(dependency, { unmet, observed, watch });
      if (lack !== null) unmet.set(change.name, `it starts after ${name}, which ${lack}`);
    }
    names.push(change.name);
  };
  changes.forEach(visit);
  return { names, unmet };
}

/** How long a guest may take from its start until it is ready. Under emulation, a minute is seen. */
const readyMs = 180_000;

/** Start operations wait for those of what they start after, where this plan starts them too. */
export function withStartOrder(
  operations: readonly Operation[],
  changes: readonly Change[],
): readonly Operation[] {
  const dependencies = new Map(
    changes.flatMap((change) => {
      const names = secondaryOf(change)?.startAfter ?? [];
      return names.length === 0 ? [] : [[change.name, names] as const];
    }),
  );
  if (dependencies.size === 0) return operations;
  const starts = startsIn(operations);
  const awaits = awaitsFor(changes, starts, dependencies);
  return operations.flatMap((operation) => {
    const secondary = secondaryIn(operation);
    if (secondary === null || starts.get(secondary)?.id !== operation.id) return [operation];
    const names = operation.phase === 'acquire' ? (dependencies.get(secondary) ?? []) : [];
    const more = names.flatMap((name) => {
      const start = starts.get(name);
      // One that is restarted has come up in the phase before.
      const first = start?.phase === 'acquire' ? [start.id] : [];
      return [...first, ...(awaits.get(name) ?? []).map(({ id }) => id)];
    });
    const after = [...operation.after, ...more];
    return [
      more.length === 0 ? operation : { ...operation, after },
      ...(awaits.get(secondary) ?? []),
    ];
  });
}

type Starts = ReadonlyMap<SecondaryName, OperationOf<'domain.start'>>;

function startsIn(operations: readonly Operation[]): Starts {
  return new Map(
    operations.flatMap((operation) => {
      const secondary = secondaryIn(operation);
      return operation.kind === 'domain.start' && secondary !== null
        ? [[secondary, operation] as const]
        : [];
    }),
  );
}

/** One for each that is started here, and that somebody waits for who is started here too. */
function awaitsFor(
  changes: readonly Change[],
  starts: Starts,
  dependencies: ReadonlyMap<SecondaryName, readonly SecondaryName[]>,
): ReadonlyMap<SecondaryName, readonly OperationOf<'domain.await-ready'>[]> {
  const waitedFor = new Set(
    [...dependencies].flatMap(([name, names]) =>
      starts.get(name)?.phase === 'acquire' ? names : [],
    ),
  );
  return new Map(
    changes.flatMap((change) => {
      const start = starts.get(change.name);
      const secondary = secondaryOf(change);
      const check = secondary === null ? null : checkOf(secondary);
      if (start === undefined || check === null || !waitedFor.has(change.name)) return [];
      return [[change.name, [awaitReady(change.name, check, start)]] as const];
    }),
  );
}

function awaitReady(
  name: SecondaryName,
  check: string,
  { domain, resource, id }: OperationOf<'domain.start'>,
): OperationOf<'domain.await-ready'> {
  const kind = 'domain.await-ready';
  return {
    kind,
    id: operationId(kind, name),
    resource,
    phase: 'acquire',
    after: [id],
    domain,
    check,
    timeoutMs: readyMs,
  };
}

function secondaryIn({ resource }: Operation): SecondaryName | null {
  // Names of Secondaries come from changes of Secondaries only.
  return resource?.kind === 'secondary' ? (resource.name as SecondaryName) : null;
}

function secondaryOf(change: Change): Secondary | null {
  return change.kind === 'create' || change.kind === 'update' ? change.secondary : null;
}

interface Known {
  readonly unmet: ReadonlyMap<SecondaryName, string>;
  readonly observed: Observed;
  readonly watch: Watch;
}

/** What keeps those from starting that start after it; null: it is ready, or this plan makes it so. */
function lackOf(change: Change | undefined, { unmet, observed, watch }: Known): string | null {
  const gone = 'does not run';
  if (change === undefined || change.kind === 'delete') return gone;
  if (wantsStart(change) && !unmet.has(change.name)) {
    const secondary = secondaryOf(change);
    return secondary === null ? null : unwatched(checkOf(secondary), watch);
  }
  if (change.kind === 'create' || (change.kind === 'update' && change.power === 'stop'))
    return gone;
  const guest = change.kind === 'update' ? change.observed : oursNamed(change.name, observed);
  if (guest === null || guest.live === null) return gone;
  const check = checkOf(secondaryOf(change) ?? guest.defined);
  if (check === null || guest.foundReady === check) return null;
  if (!canPass(check, guest)) return `runs without ${lackedFor(check)} until its next start`;
  // Nobody has asked it, and nobody will: that it is there has to do.
  if (watch === 'by-nobody' && guest.agent === 'connected' && check === 'GuestAgent') return null;
  return unwatched(check, watch) ?? `runs and is not ready yet: it waits for ${awaitedBy(check)}`;
}

/** What is wrong with a check that nobody makes; null: somebody does. */
function unwatched(check: string | null, watch: Watch): string | null {
  if (watch === 'by-unnestd' || check === null || check === 'GuestAgent') return null;
  return `only unnestd can find ready (${check}), and this is done without it`;
}

/** Whoever is blocked stays as it is, and may well run. */
function oursNamed(name: SecondaryName, { domains, ...us }: Observed): ObservedDomain | null {
  const seen = domains.get(name);
  if (seen?.status !== 'present' || seen.value.owner === null) return null;
  return samePartition(seen.value.owner, us) && seen.value.owner.secondary === name
    ? seen.value
    : null;
}
