/**
 * What may be accepted of a folder that somebody may still be writing (invariant 6). What is new or
 * changed may; what is missing, or there in a lesser number, may only not have been written yet, so
 * it stays as it is in force. Whether the result is valid, is found out by whoever reads documents.
 * Values are not trusted: what has no kind or name is passed on, for that reader to refuse.
 */
import type { PlainDocument } from '../../report/submission.ts';

export interface HeldBack {
  readonly kind: string;
  readonly name: string;
  /** What would have happened to it. */
  readonly would: 'go' | 'shrink';
}

export interface NextDocuments {
  readonly documents: readonly PlainDocument[];
  /** What waits until the folder is complete; empty: nothing does. */
  readonly heldBack: readonly HeldBack[];
}

/**
 * @param inForce none: nothing was accepted yet
 * @param given all of the folder that is there by now
 */
export function nextDocuments(
  inForce: readonly PlainDocument[],
  given: readonly PlainDocument[],
): NextDocuments {
  const before = byIdentity(inForce);
  const there = byIdentity(given);
  const heldBack: HeldBack[] = [];
  const documents = given.map((document) => {
    const old = before.get(keyOf(document.value) ?? '');
    if (old === undefined || !shrinks(old.value, document.value)) return document;
    heldBack.push(held(old, 'shrink'));
    return old;
  });
  for (const [key, old] of before) {
    if (there.has(key)) continue;
    heldBack.push(held(old, 'go'));
    documents.push(old);
  }
  return { documents, heldBack };
}

/** Of two with the same identity the first; that there are two is a mistake that its reader finds. */
function byIdentity(documents: readonly PlainDocument[]): ReadonlyMap<string, PlainDocument> {
  const found = new Map<string, PlainDocument>();
  for (const document of documents) {
    const key = keyOf(document.value);
    if (key !== null && !found.has(key)) found.set(key, document);
  }
  return found;
}

function keyOf(value: unknown): string | null {
  const identity = identityOf(value);
  return identity === null ? null : JSON.stringify([identity.kind, identity.name]);
}

function identityOf(value: unknown): { readonly kind: string; readonly name: string } | null {
  const kind = at(value, 'kind');
  const name = at(at(value, 'metadata'), 'name');
  return typeof kind === 'string' && typeof name === 'string' ? { kind, name } : null;
}

/**
 * Whether a Secondary that it stands for would be gone. Without `replicas` it stands for NAME, with
 * it for NAME-0 and so on, so that going from one to the other takes away what there was.
 */
function shrinks(old: unknown, wanted: unknown): boolean {
  const before = at(at(old, 'spec'), 'replicas');
  const after = at(at(wanted, 'spec'), 'replicas');
  if (before === after) return false;
  return typeof before !== 'number' || typeof after !== 'number' || !(after > before);
}

function held({ value }: PlainDocument, would: HeldBack['would']): HeldBack {
  return { ...(identityOf(value) ?? { kind: '', name: '' }), would };
}

function at(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  // The key is there, whatever stands under it.
  return (value as Readonly<Record<string, unknown>>)[key];
}
