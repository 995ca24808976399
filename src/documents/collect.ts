/**
 * All documents, wherever they come from: each valid by itself, and no two of one kind with the
 * same name.
 */
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import type { Placed } from './placed.ts';
import type { ParsedSource, SourceDocument } from './source.ts';
import { validate, type Validated } from './validate.ts';

export interface Collected {
  readonly placed: readonly Placed[];
  readonly diagnostics: readonly Diagnostic[];
  /** Whether a name that no valid document has may be that of one with mistakes. */
  readonly mayExist: (name: string) => boolean;
}

/**
 * @param sources each is read when its turn comes, so that nothing is after too many mistakes
 * @param judge of one document by itself
 */
export function collect(
  sources: readonly (() => ParsedSource)[],
  judge: (source: SourceDocument) => Validated = validate,
): Collected {
  const first = new Map<string, Placed>();
  const placed: Placed[] = [];
  const diagnostics: Diagnostic[] = [];
  const broken: (string | null)[] = [];
  for (const read of sources) {
    // More than anybody reads; what follows may be as bad, and costs as much to look at.
    if (diagnostics.length >= documentLimits.diagnosticsMax) {
      broken.push(null);
      break;
    }
    const parsed = read();
    diagnostics.push(...parsed.diagnostics);
    if (parsed.diagnostics.length > 0) broken.push(null);
    for (const source of parsed.documents) {
      if (diagnostics.length >= documentLimits.diagnosticsMax) break;
      const validated = judge(source);
      if (validated.ok) {
        const duplicate = addTo(first, validated);
        if (duplicate === null) placed.push(validated);
        else diagnostics.push(duplicate);
      } else {
        diagnostics.push(...validated.diagnostics);
        broken.push(nameIn(source.value));
      }
    }
  }
  const mayExist = (name: string) =>
    broken.some((each) => each === null || name === each || name.startsWith(`${each}-`));
  return { placed, diagnostics, mayExist };
}

function addTo(first: Map<string, Placed>, placed: Placed): Diagnostic | null {
  const { kind, metadata } = placed.document;
  const key = `${kind} ${metadata.name}`;
  const other = first.get(key);
  if (other === undefined) {
    first.set(key, placed);
    return null;
  }
  const { file, line } = other.source.placeOf(['metadata', 'name']);
  const where = line === 0 ? `in ${file}` : `at ${file}:${line}`;
  const message = `there is another ${kind} named "${metadata.name}", ${where}`;
  return placed.source.complain('DuplicateName', ['metadata', 'name'], message);
}

/** The name of a document that is not valid; null where it has none that could be read. */
function nameIn(value: unknown): string | null {
  const name = (value as { metadata?: { name?: unknown } } | null)?.metadata?.name;
  return typeof name === 'string' ? name : null;
}

export function isKind<K extends Placed['document']['kind']>(kind: K) {
  return (placed: Placed): placed is Placed<Extract<Placed['document'], { kind: K }>> =>
    placed.document.kind === kind;
}
