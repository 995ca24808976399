/**
 * Whether a plan from a file does what it shows. What a person reviews are the entries, what is
 * carried out are the operations, and whoever edits the one without the other computes the digest
 * anew. Also whether it can be carried out to its end: what waits for itself is found out here, and
 * not when half of it is done.
 */
import { findCycles } from '../documents/cycles.ts';
import { resourceKey } from '../model/resource.ts';
import { diskName, operationId, PHASES } from '../plan/operation.ts';
import type { SavedPlanDocument } from './saved-plan-schema.ts';
import { isShown, type ShownEntry } from './saved-plan-words.ts';

type Operation = SavedPlanDocument['operations'][number];
type Entry = SavedPlanDocument['entries'][number];

/** What is wrong first, or null. Ids are only named once they are known to be names. */
export function disagreement(data: SavedPlanDocument): string | null {
  return (
    mistakenId(data.operations) ??
    mistakenInstallation(data) ??
    hiddenOperation(data) ??
    endlessWait(data.operations)
  );
}

function mistakenId(operations: readonly Operation[]): string | null {
  const seen = new Set<string>();
  for (const [index, operation] of operations.entries()) {
    const { kind, id } = operation;
    const expected = operationId(kind, subjectOf(operation));
    if (id !== expected) return `operation ${index} is ${expected}, and has another id`;
    if (seen.has(id)) return `it does what it does not show: ${id} twice`;
    seen.add(id);
  }
  return null;
}

/** Whose name is in the id: each address of a network, each port and each disk has an operation of its own. */
function subjectOf(operation: Operation): string | null {
  if (operation.kind === 'installation.record') return null;
  if (operation.kind === 'domain.attach-disk' || operation.kind === 'domain.detach-disk') {
    return diskName(operation.resource?.name ?? '', operation.volume);
  }
  return 'secondary' in operation ? operation.secondary : (operation.resource?.name ?? null);
}

function mistakenInstallation({ installation, operations }: SavedPlanDocument): string | null {
  const isOther = (each: Operation) =>
    each.kind === 'installation.record' && each.installation !== installation;
  return operations.some(isOther) ? 'it records an installation that is not its own' : null;
}

/** Every operation is in one entry: that of its resource, whose words prepare a reader for it. */
function hiddenOperation({ entries, operations, basis }: SavedPlanDocument): string | null {
  const listed = entries.flatMap(shownIn);
  const shown = new Map(listed);
  const isSeen = ({ kind, id, resource }: Operation) => {
    const entry = shown.get(id);
    if (resource === null || entry === undefined) return kind === 'installation.record';
    // Of what is made anew there need not be a line, but of a Secondary there is one always.
    const isKnown = resource.kind !== 'secondary' || Object.hasOwn(basis, resource.name);
    return isKnown && resourceKey(resource) === resourceKey(entry.resource) && isShown(kind, entry);
  };
  const hidden = operations.find((operation) => !isSeen(operation));
  if (hidden !== undefined) return `it does what it does not show: ${hidden.id}`;
  // Each of them is somewhere, so that any more are too many.
  const count = operations.filter(({ resource }) => resource !== null).length;
  return listed.length === count ? null : 'it shows what it does not do';
}

function shownIn(entry: Entry): (readonly [string, ShownEntry])[] {
  return 'operations' in entry ? entry.operations.map((id) => [id, entry] as const) : [];
}

function endlessWait(operations: readonly Operation[]): string | null {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const phaseOf = ({ phase }: Operation) => PHASES.indexOf(phase);
  for (const operation of operations) {
    for (const id of operation.after) {
      const first = byId.get(id);
      if (first === undefined) return `${operation.id} waits for what it does not do`;
      if (phaseOf(first) > phaseOf(operation)) return `${operation.id} waits for what comes later`;
    }
  }
  const needs = ({ after }: Operation) => after.flatMap((id) => byId.get(id) ?? []);
  const [cycle] = findCycles(operations, needs);
  return cycle === undefined ? null : `${cycle[0]?.id} waits for itself`;
}
