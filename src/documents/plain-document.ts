/**
 * A document after YAML: what a worker hands back, what the daemon keeps, and what is judged anew
 * each time, because nobody can know who has had it in hands. Its places are whole files: where in
 * a file a part stood is known only where the text is.
 */
import type { DiagnosticCode, SourcePlace } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import { type DocumentPath, formatPath } from './paths.ts';
import type { ParsedSource, SourceDocument } from './source.ts';

/** One document as plain data, and the file that it came from, for messages. */
export interface PlainDocument {
  readonly file: string;
  /** JSON: no document needs more. Not trusted: it is checked against its schema at every use. */
  readonly value: unknown;
}

/** With the same checks of its shape that YAML goes through, since JSON can hold the same traps. */
export function sourceOf({ file, value }: PlainDocument): ParsedSource {
  const source = placedIn(file, value);
  const problem = shapeProblem(value);
  if (problem === null) return { documents: [source], diagnostics: [] };
  const { code, path, message } = problem;
  return { documents: [], diagnostics: [source.complain(code, path, message)] };
}

function placedIn(file: string, value: unknown): SourceDocument {
  const place: SourcePlace = { file, line: 0, column: 0 };
  return {
    file,
    value,
    placeOf: () => place,
    complain: (code, path, message, { remedy = null } = {}) => {
      return { code, ...place, path: formatPath(path), message, remedy, excerpt: null };
    },
  };
}

interface ShapeProblem {
  readonly code: DiagnosticCode;
  readonly path: DocumentPath;
  readonly message: string;
}

interface Part {
  readonly value: unknown;
  readonly path: DocumentPath;
}

/** The first thing in it that JSON does not have, or that no document may; without recursion. */
function shapeProblem(document: unknown): ShapeProblem | null {
  const rest: Part[] = [{ value: document, path: [] }];
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    const { value, path } = part;
    const { depthMax } = documentLimits;
    if (path.length > depthMax) {
      return { code: 'TooDeep', path: [], message: `nested deeper than ${depthMax}` };
    }
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        rest.push({ value: item, path: [...path, index] });
    } else if (isMapping(value)) {
      for (const key of Object.keys(value)) {
        const at = [...path, key];
        // Checks of a mapping pass over this key, as assigning to it would.
        if (key === '__proto__') return refusedKey(at);
        rest.push({ value: value[key], path: at });
      }
    } else if (!isScalar(value)) {
      return { code: 'InvalidValue', path, message: 'this is a value that JSON does not have' };
    }
  }
  return null;
}

function refusedKey(path: DocumentPath): ShapeProblem {
  return { code: 'UnknownField', path, message: '"__proto__" is no field of anything' };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}
