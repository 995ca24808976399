/**
 * All of YAML 1.2, by the yaml package, for a text from anybody: what would cost more than the text
 * is long is refused before it is done. Depth, because composing recurses; keys that occur twice
 * are looked for here, because the package compares each with each.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isCollection,
  isPair,
  isScalar,
  Parser,
} from 'yaml';
import type { DiagnosticCode } from './diagnostic.ts';
import { documentLimits } from './limits.ts';

export interface Problem {
  readonly code: DiagnosticCode;
  /** In the text that was given. */
  readonly offset: number;
  readonly message: string;
  readonly remedy: string | null;
}

export type FullDocument =
  | { readonly ok: true; readonly value: unknown; readonly nodes: Document.Parsed }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @param text bounded by the caller: reading takes microseconds for each byte */
export function readFullYaml(text: string): readonly FullDocument[] {
  const { depthMax, documentsMax } = documentLimits;
  const tokens = [...new Parser().parse(text)];
  const deep = tokens.map(tooDeepIn).find((offset) => offset !== null);
  if (deep !== undefined && deep !== null) {
    return [refused([problem('TooDeep', deep, `nested deeper than ${depthMax}`)])];
  }
  if (tokens.filter(({ type }) => type === 'document').length > documentsMax) {
    return [refused([problem('TooLarge', 0, `more than ${documentsMax} documents`)])];
  }
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  return [...composer.compose(tokens, false, text.length)].map(evaluate);
}

function refused(problems: readonly Problem[]): FullDocument {
  return { ok: false, problems };
}

function problem(
  code: DiagnosticCode,
  offset: number,
  message: string,
  remedy: string | null = null,
): Problem {
  return { code, offset, message, remedy };
}

/** Where the first token stands that is nested too deep, walked without recursion. */
function tooDeepIn(document: CST.Token): number | null {
  const stack: { readonly token: CST.Token; readonly depth: number }[] = [
    { token: document, depth: -1 },
  ];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { token, depth } = entry;
    if (depth > documentLimits.depthMax) return token.offset;
    if (token.type === 'document') {
      if (token.value !== undefined) stack.push({ token: token.value, depth: 0 });
    } else if ('items' in token) {
      for (const { key, value } of token.items) {
        if (key !== undefined && key !== null) stack.push({ token: key, depth: depth + 1 });
        if (value !== undefined) stack.push({ token: value, depth: depth + 1 });
      }
    }
  }
  return null;
}

function evaluate(nodes: Document.Parsed): FullDocument {
  const problems = [...syntaxProblems(nodes), ...keyProblems(nodes)];
  if (problems.length > 0) return refused(problems.slice(0, documentLimits.diagnosticsMax));
  try {
    return { ok: true, value: nodes.toJS({ maxAliasCount: documentLimits.aliasesMax }), nodes };
  } catch (error) {
    // The yaml package throws a ReferenceError here, for too many aliases and for unresolved ones.
    const message = error instanceof Error ? firstLine(error.message) : 'aliases do not resolve';
    const at = nodes.contents?.range[0] ?? nodes.range[0];
    return refused([problem('TooManyAliases', at, message, 'write the values out')]);
  }
}

function syntaxProblems({ errors, warnings }: Document.Parsed): Problem[] {
  return [...errors, ...warnings].slice(0, documentLimits.diagnosticsMax).map((error) => {
    const code = error.code === 'TAG_RESOLVE_FAILED' ? 'UnsupportedTag' : 'InvalidYaml';
    return problem(code, error.pos[0], firstLine(error.message));
  });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/** Keys that are no texts, that stand twice, or that JavaScript would take for something else. */
function keyProblems({ contents }: Document.Parsed): Problem[] {
  const problems: Problem[] = [];
  const rest: unknown[] = [contents];
  while (rest.length > 0 && problems.length < documentLimits.diagnosticsMax) {
    const node = rest.pop();
    if (!isCollection(node)) continue;
    const seen = new Set<string>();
    for (const item of node.items) {
      if (!isPair(item)) rest.push(item);
      else {
        const found = keyProblem(item.key, seen, node.range?.[0] ?? 0);
        if (found !== null) problems.push(found);
        rest.push(item.value);
      }
    }
  }
  return problems.sort((a, b) => a.offset - b.offset);
}

function keyProblem(key: unknown, seen: Set<string>, mappingOffset: number): Problem | null {
  if (isAlias(key) || !isScalar(key) || typeof key.value !== 'string') {
    const message = 'a key of this mapping is not a string';
    return problem('InvalidYaml', mappingOffset, message, 'quote it');
  }
  const offset = key.range?.[0] ?? mappingOffset;
  if (key.value === '__proto__') {
    return problem('UnknownField', offset, '"__proto__" is no field of anything');
  }
  if (seen.has(key.value)) {
    return problem('DuplicateKey', offset, 'this key is there already', 'remove one of the two');
  }
  seen.add(key.value);
  return null;
}
