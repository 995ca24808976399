/**
 * YAML in, plain values with places out. Text comes from anybody, so its size, depth, aliases and
 * tags are bounded here, before any of it is looked at as a document.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseAllDocuments,
} from 'yaml';
import type { Diagnostic, DiagnosticCode, SourcePlace } from './diagnostic.ts';
import { documentLimits } from './limits.ts';

export interface SourceFile {
  /** As shown to people; `-` for standard input. */
  readonly path: string;
  readonly text: string;
}

export type DocumentPath = readonly (string | number)[];

/** One YAML document: its value, and a way to say where any part of it stands. */
export interface SourceDocument {
  readonly value: unknown;
  /** Where a part stands; for one that is missing, the nearest that is there. */
  placeOf(path: DocumentPath, anchor?: Anchor): SourcePlace;
  complain(
    code: DiagnosticCode,
    path: DocumentPath,
    message: string,
    options?: { readonly remedy?: string | null; readonly anchor?: Anchor },
  ): Diagnostic;
}

export interface ParsedSource {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

export function parseSource(file: SourceFile): ParsedSource {
  const lines = new LineCounter();
  const at = placer(file, lines);
  const parsed = parseAllDocuments(file.text, { lineCounter: lines, prettyErrors: false });
  // The yaml package answers an empty stream with an empty marker instead of a list.
  const list = Array.isArray(parsed) ? parsed : [];
  if (list.length > documentLimits.documentsMax) {
    const message = `more than ${documentLimits.documentsMax} documents`;
    return { documents: [], diagnostics: [at(0, 'TooLarge', '', message, null)] };
  }
  const documents: SourceDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const document of list) {
    const wrong = problemsOf(document, at);
    if (wrong.length > 0) diagnostics.push(...wrong);
    else evaluate(document, at, (offset) => placeAt(file, lines, offset), documents, diagnostics);
  }
  return { documents, diagnostics };
}

/** Turns nodes into values, which is when aliases are expanded and may turn out to be too many. */
function evaluate(
  document: Document.Parsed,
  at: Place,
  place: (offset: number) => SourcePlace,
  documents: SourceDocument[],
  diagnostics: Diagnostic[],
): void {
  try {
    const value: unknown = document.toJS({ maxAliasCount: documentLimits.aliasesMax });
    // Nothing between two `---` is nothing, not a mistake.
    if (value !== null) documents.push(locate(document, value, at, place));
  } catch (error) {
    // The yaml package throws a ReferenceError here, for too many aliases and for unresolved ones.
    const message = error instanceof Error ? firstLine(error.message) : 'aliases do not resolve';
    const remedy = 'write the values out';
    diagnostics.push(at(document.range[0], 'TooManyAliases', '', message, remedy));
  }
}

type Place = (
  offset: number,
  code: DiagnosticCode,
  path: string,
  message: string,
  remedy: string | null,
) => Diagnostic;

function placer(file: SourceFile, lines: LineCounter): Place {
  let rows: readonly string[] | undefined;
  return (offset, code, path, message, remedy) => {
    const place = placeAt(file, lines, offset);
    rows ??= file.text.split('\n');
    const excerpt = rows[place.line - 1]?.replace(/\r$/, '') ?? null;
    return { code, ...place, path, message, remedy, excerpt };
  };
}

function placeAt({ path }: SourceFile, lines: LineCounter, offset: number): SourcePlace {
  const { line, col } = lines.linePos(offset);
  return { file: path, line, column: col };
}

function problemsOf(document: Document.Parsed, at: Place): Diagnostic[] {
  const found = [...document.errors, ...document.warnings].map((error) => {
    const code = SYNTAX_CODES.get(error.code) ?? 'InvalidYaml';
    return at(error.pos[0], code, '', firstLine(error.message), null);
  });
  return found.length > 0 ? found : structureProblems(document, at);
}

const SYNTAX_CODES = new Map<string, DiagnosticCode>([
  ['DUPLICATE_KEY', 'DuplicateKey'],
  ['TAG_RESOLVE_FAILED', 'UnsupportedTag'],
]);

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/** Depth and key types, walked without recursion, so that depth itself cannot exhaust the stack. */
function structureProblems(document: Document.Parsed, at: Place): Diagnostic[] {
  const stack: { node: unknown; depth: number }[] = [{ node: document.contents, depth: 0 }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, depth } = entry;
    if (!isCollection(node)) continue;
    const offset = node.range?.[0] ?? 0;
    if (depth >= documentLimits.depthMax) {
      return [at(offset, 'TooDeep', '', `nested deeper than ${documentLimits.depthMax}`, null)];
    }
    for (const item of node.items) {
      if (!isMap(node)) stack.push({ node: item, depth: depth + 1 });
      else {
        const { key, value } = item as (typeof node.items)[number];
        if (!isScalar(key) || typeof key.value !== 'string') {
          return [
            at(offset, 'InvalidYaml', '', 'a key of this mapping is not a string', 'quote it'),
          ];
        }
        if (key.value === '__proto__') {
          const start = key.range?.[0] ?? offset;
          return [at(start, 'UnknownField', '', '"__proto__" is no field of anything', null)];
        }
        stack.push({ node: value, depth: depth + 1 });
      }
    }
  }
  return [];
}

/** Where in the text: at the key of the last step, or at its value. */
export type Anchor = 'key' | 'value';

function locate(
  document: Document.Parsed,
  value: unknown,
  at: Place,
  place: (offset: number) => SourcePlace,
): SourceDocument {
  return {
    value,
    placeOf: (path, anchor = 'value') => place(offsetOf(document, path, anchor)),
    complain: (code, path, message, { remedy = null, anchor = 'value' } = {}) =>
      at(offsetOf(document, path, anchor), code, formatPath(path), message, remedy),
  };
}

/** `spec.disks[0].file`, as kubectl writes paths. */
function formatPath(path: DocumentPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/** For a part that is missing, the place of the nearest part that is there. */
function offsetOf(document: Document.Parsed, path: DocumentPath, anchor: Anchor): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? document.range[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) return offset;
    const found = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === step)
      : node.items[Number(step)];
    if (found === undefined) return offset;
    node = isPair(found) ? found.value : found;
    const anchored = isPair(found) && (anchor === 'key' || !isScalar(node)) ? found.key : node;
    offset = (isNode(anchored) ? anchored.range?.[0] : undefined) ?? offset;
  }
  return offset;
}
