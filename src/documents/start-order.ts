/**
 * `spec.startAfter` of all documents together: names resolved to Secondaries, and what cannot be
 * satisfied. All replicas of a document have the same list, so a circle among documents is one
 * among Secondaries, and the other way round.
 */
import type { SecondaryName } from '../model/names.ts';
import { findCycles } from './cycles.ts';
import type { Diagnostic } from './diagnostic.ts';
import { replicaNames } from './expand.ts';
import { documentLimits } from './limits.ts';
import type { Placed } from './placed.ts';
import { dangling } from './references.ts';
import type { SecondaryDocument } from './secondary-schema.ts';

type PlacedSecondary = Placed<SecondaryDocument>;

export interface StartOrder {
  /** By the name of the document. */
  readonly startAfter: ReadonlyMap<string, readonly SecondaryName[]>;
  readonly diagnostics: readonly Diagnostic[];
}

/** @param mayExist whether a name that no valid document has may be that of one with mistakes */
export function startOrder(
  documents: readonly PlacedSecondary[],
  mayExist: (name: string) => boolean,
): StartOrder {
  // Most bundles say nothing of it.
  if (documents.every(({ document }) => document.spec.startAfter.length === 0)) {
    return { startAfter: new Map(), diagnostics: [] };
  }
  const owners = ownersOf(documents);
  const tooMany = tooManyPairs(documents, owners);
  if (tooMany !== null) return { startAfter: new Map(), diagnostics: [tooMany] };
  return {
    startAfter: new Map(
      documents.map(({ document }) => [document.metadata.name, resolve(document, owners)]),
    ),
    diagnostics: [...danglingIn(documents, owners, mayExist), ...cyclesIn(documents, owners)],
  };
}

/** Which document a name is of: its own, or that of one of its replicas. */
function ownersOf(documents: readonly PlacedSecondary[]): ReadonlyMap<string, PlacedSecondary> {
  const owners = new Map<string, PlacedSecondary>();
  for (const placed of documents) {
    for (const name of replicaNames(placed.document)) owners.set(name, placed);
  }
  for (const placed of documents) owners.set(placed.document.metadata.name, placed);
  return owners;
}

function namesFor(name: string, owners: ReadonlyMap<string, PlacedSecondary>): readonly string[] {
  const owner = owners.get(name)?.document;
  if (owner === undefined) return [];
  return owner.metadata.name === name ? replicaNames(owner) : [name];
}

function resolve(
  { spec }: SecondaryDocument,
  owners: ReadonlyMap<string, PlacedSecondary>,
): readonly SecondaryName[] {
  const names = new Set(spec.startAfter.flatMap((name) => namesFor(name, owners)));
  return Object.freeze([...names] as SecondaryName[]);
}

/** A thousand replicas after a thousand others are a million pairs for a few bytes of text. */
function tooManyPairs(
  documents: readonly PlacedSecondary[],
  owners: ReadonlyMap<string, PlacedSecondary>,
): Diagnostic | null {
  let pairs = 0;
  for (const { document, source } of documents) {
    for (const name of document.spec.startAfter) {
      const owner = owners.get(name)?.document;
      const each = owner?.metadata.name === name ? (owner.spec.replicas ?? 1) : 1;
      pairs += each * (document.spec.replicas ?? 1);
    }
    if (pairs <= documentLimits.startAfterPairsMax) continue;
    const message = `more than ${documentLimits.startAfterPairsMax} pairs of Secondaries that wait for one another`;
    return source.complain('TooLarge', ['spec', 'startAfter'], message, {
      remedy: 'name one of the replicas instead of all',
    });
  }
  return null;
}

function danglingIn(
  documents: readonly PlacedSecondary[],
  owners: ReadonlyMap<string, PlacedSecondary>,
  mayExist: (name: string) => boolean,
): Diagnostic[] {
  const known = new Set(documents.map(({ document }) => document.metadata.name));
  const diagnostics: Diagnostic[] = [];
  for (const { document, source } of documents) {
    for (const [index, name] of document.spec.startAfter.entries()) {
      if (owners.has(name) || mayExist(name)) continue;
      const path = ['spec', 'startAfter', index];
      const words = dangling('Secondary', name, known, diagnostics.length);
      diagnostics.push(source.complain('UnknownReference', path, ...words));
    }
  }
  return diagnostics;
}

function cyclesIn(
  documents: readonly PlacedSecondary[],
  owners: ReadonlyMap<string, PlacedSecondary>,
): Diagnostic[] {
  const after = (placed: PlacedSecondary) =>
    placed.document.spec.startAfter.flatMap((name) => owners.get(name) ?? []);
  return findCycles(documents, after).map((cycle) => complainOf(cycle, owners));
}

/** At the entry of the first document that leads to the second one. */
function complainOf(
  cycle: readonly PlacedSecondary[],
  owners: ReadonlyMap<string, PlacedSecondary>,
): Diagnostic {
  const [first, next = first] = cycle;
  if (first === undefined) throw new Error('a cycle without members');
  const index = first.document.spec.startAfter.findIndex((name) => owners.get(name) === next);
  const names = [...cycle, first].map(({ document }) => document.metadata.name);
  const shown = names.length > namesShownMax ? [...names.slice(0, namesShownMax), '...'] : names;
  const message =
    cycle.length === 1
      ? `Secondary "${names[0]}" would wait for itself`
      : `none of them could ever start: ${shown.join(' after ')}`;
  return first.source.complain('StartCycle', ['spec', 'startAfter', index], message);
}

const namesShownMax = 50;
