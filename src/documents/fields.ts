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
  const properties = Object.entries(mappingIn(schema).properties ?? {}).map(
    ([name, child]) => [name, schemaIn(child)] as const,
  );
  const { required: needed = [] } = mappingIn(schema);
  const { default: fallback, description = '', change } = schema;
  const facts: FieldFacts = {
    kind,
    path,
    description,
    required,
    default: fallback === undefined ? null : written(fallback),
    allowed: allowedBy(schema),
    change: typeof change === 'string' ? change : null,
    children: properties.map(([name]) => name),
  };
  const below = properties.flatMap(([name, child]) => {
    const childPath = path === '' ? name : `${path}.${name}`;
    return walk(kind, childPath, child, needed.includes(name));
  });
  return [facts, ...below];
}

/** Of a list of mappings, one of them. */
function mappingIn(schema: JsonSchema): JsonSchema {
  return schema.items === undefined ? schema : schemaIn(schema.items);
}

function written(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}

function allowedBy(schema: JsonSchema): string {
  if (typeof schema['expects'] === 'string') return schema['expects'];
  if (typeof schema.const === 'string') return schema.const;
  if (schema.enum !== undefined) return schema.enum.join(', ');
  const { type, minimum, maximum, maxItems, items } = schema;
  if (type === 'boolean') return 'true, false';
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`;
  if (type === 'object')
    return schema.properties === undefined ? 'a mapping of texts' : 'a mapping';
  if (type === 'array') {
    return `at most ${maxItems} different entries, each: ${allowedBy(schemaIn(items))}`;
  }
  // A text without words of its own, or what no document has.
  throw new Error(`what is allowed in this field? ${JSON.stringify(schema)}`);
}

/** JSON Schema also has `true` and `false`, and lists for tuples; these schemas use none of it. */
function schemaIn(value: JsonSchema['items']): JsonSchema {
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  throw new Error(`expected a schema, not ${JSON.stringify(value)}`);
}
