/**
 * One document against its kind's schema. zod finds what is wrong; this file says it so that the
 * reader can mend it: the value that stands there, what was expected, the name that was meant.
 */
import type { z } from 'zod';
import { closest } from './closest.ts';
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import { type AnyDocument, type Kind, kinds, schemas } from './schema.ts';
import { API_VERSION } from './schema-parts.ts';
import { shapeOf, unwrap } from './introspect.ts';
import type { DocumentPath } from './paths.ts';
import { holdsSecret, mayMeanSecret } from './secrets.ts';
import type { SourceDocument } from './source.ts';

export type Validated =
  | { readonly ok: true; readonly document: AnyDocument; readonly source: SourceDocument }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function validate(source: SourceDocument): Validated {
  const header = headerProblem(source, kinds);
  if (header !== null) return { ok: false, diagnostics: [header] };
  const schema: z.ZodType<AnyDocument> = schemas[(source.value as { kind: Kind }).kind];
  const checked = check(source, schema);
  return checked.ok ? { ok: true, document: checked.value, source } : checked;
}

/** The same for a document of a kind that no bundle has. */
export function validateAs<T>(
  source: SourceDocument,
  kind: string,
  schema: z.ZodType<T>,
): Checked<T> {
  const header = headerProblem(source, [kind]);
  return header === null ? check(source, schema) : { ok: false, diagnostics: [header] };
}

function check<T>(source: SourceDocument, schema: z.ZodType<T>): Checked<T> {
  const result = schema.safeParse(source.value);
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    // A place is looked for along the mapping, so the bound comes before the search.
    diagnostics: result.error.issues
      .slice(0, documentLimits.diagnosticsMax)
      .flatMap((issue) => explainIssue(issue, source, schema)),
  };
}

/** Which kind it is comes first: without it nothing else can be judged. */
function headerProblem(source: SourceDocument, known: readonly string[]): Diagnostic | null {
  if (!isRecord(source.value)) {
    const message = `expected a document with apiVersion, kind and spec, not ${show(source.value)}`;
    return source.complain('NotADocument', [], message);
  }
  const { apiVersion, kind } = source.value;
  if (apiVersion !== API_VERSION) {
    const message = `apiVersion is ${show(apiVersion)}: expected ${API_VERSION}`;
    return source.complain('UnknownApiVersion', ['apiVersion'], message);
  }
  if (typeof kind !== 'string' || !known.includes(kind)) {
    const message = `kind is ${show(kind)}: expected ${known.join(', ')}`;
    return source.complain('UnknownKind', ['kind'], message, { remedy: suggest(kind, known) });
  }
  return null;
}

function explainIssue(issue: z.core.$ZodIssue, source: SourceDocument, schema: z.ZodType) {
  const path = issue.path as DocumentPath;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.slice(0, documentLimits.diagnosticsMax).map((key) =>
      source.complain('UnknownField', [...path, key], unknownField(key, path, known), {
        remedy: suggest(key, known),
        anchor: 'key',
        excerpt: !mayMeanSecret(key, known, schema, path),
      }),
    );
  }
  const value = valueAt(source.value, path);
  const excerpt = !holdsSecret(schema, path, value);
  if (value === undefined) {
    const message = `${path.at(-1) ?? 'document'} is missing: expected ${expected(issue)}`;
    return [source.complain('MissingField', path, message, { excerpt })];
  }
  const shown = excerpt ? show(value) : 'what stands there';
  const message = `${shown} is not valid: expected ${expected(issue)}`;
  const remedy = issue.code === 'invalid_value' ? suggest(value, issue.values.map(String)) : null;
  return [source.complain('InvalidValue', path, message, { remedy, excerpt })];
}

function unknownField(key: string, path: DocumentPath, known: readonly string[]): string {
  const place = path.length === 0 ? 'a document' : path.join('.');
  return `${show(key)} is not a field of ${place}, which has ${known.join(', ')}`;
}

/** zod's own words for wrong types; ours, set in the schema, for everything else. */
function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  // The schema's own words are better than the name of a type.
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) {
    return issue.message;
  }
  return TYPE_WORDS.get(issue.expected) ?? `a ${issue.expected}`;
}

const TYPE_WORDS = new Map<string, string>([
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['array', 'a list'],
  ['string', 'a text'],
  ['int', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
]);

function suggest(value: unknown, candidates: readonly string[]): string | null {
  const best = typeof value === 'string' ? closest(value, candidates) : null;
  return best === null ? null : `did you mean ${best}?`;
}

const shownCharactersMax = 60;

/** A value as a reader knows it from the document, cut short, with control characters escaped. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'a mapping';
  // `.nan` and `.inf` are numbers of YAML that JSON does not have.
  if (typeof value === 'number') return value.toString();
  if (typeof value !== 'string') return JSON.stringify(value);
  const cut = value.length > shownCharactersMax;
  return cut ? `${JSON.stringify(value.slice(0, shownCharactersMax))}…` : JSON.stringify(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(value: unknown, path: DocumentPath): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

/** The fields that the schema knows at a path. */
function keysAt(schema: z.ZodType, path: DocumentPath): readonly string[] {
  let at: unknown = unwrap(schema);
  for (const step of path) {
    const shape = shapeOf(at);
    at = unwrap(shape?.[String(step)]);
  }
  return Object.keys(shapeOf(at) ?? {});
}
