/** What there is to know of each field that a document can set, read off the schemas. */
import { fieldSchemaOf, type JsonSchema } from './json-schema.ts';
import type { Kind } from './schema.ts';

export interface FieldFacts {
  readonly kind: Kind;
  /** Such as `spec.boot.kernel.file`; empty for the document itself. */
  readonly path: string;
  readonly description: string;
  readonly required: boolean;
  /** As one writes it; null where there is none. */
  readonly default: string | null;
  /** A noun phrase. */
  readonly allowed: string;
  /** What a change costs a running guest; null where no guest is meant. */
  readonly change: string | null;
  /** The names of the fields in it. */
  readonly children: readonly string[];
}

/** The document itself and everything in it, parents before children. */
export function fieldsOfKind(kind: Kind): readonly FieldFacts[] {
  return walk(kind, '', fieldSchemaOf(kind), true);
}

function walk(kind: Kind, path: string, schema: JsonSchema, required: boolean): FieldFacts[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const needed = (schema['required'] ?? []) as readonly string[];
  const { default: fallback, description, change } = schema;
  const facts: FieldFacts = {
    kind,
    path,
    description: String(description ?? ''),
    required,
    default: fallback === undefined ? null : written(fallback),
    allowed: allowedBy(schema),
    change: typeof change === 'string' ? change : null,
    children: properties.map(([name]) => name),
  };
  const below = properties.flatMap(([name, child]) =>
    walk(kind, path === '' ? name : `${path}.${name}`, child, needed.includes(name)),
  );
  return [facts, ...below];
}

function written(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}

function allowedBy(schema: JsonSchema): string {
  if (typeof schema['expects'] === 'string') return schema['expects'];
  if (schema['const'] !== undefined) return String(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].join(', ');
  switch (schema['type']) {
    case 'boolean':
      return 'true, false';
    case 'integer':
      return `a whole number from ${schema['minimum']} to ${schema['maximum']}`;
    case 'array':
      return `a list of at most ${schema['maxItems']} different entries, each: ${allowedBy(schema['items'] as JsonSchema)}`;
    case 'object':
      return 'properties' in schema ? 'a mapping' : 'a mapping of texts';
    default:
      throw new Error(`what is allowed in a field of type ${schema['type']}?`);
  }
}
