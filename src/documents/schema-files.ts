/** The JSON Schemas as the files that `schemas/` holds. */
import { type JsonSchema, jsonSchemaOf, jsonSchemaOfAll } from './json-schema.ts';
import { kinds } from './schema.ts';

/** By file name, without a folder. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...kinds.map((kind) => [`${kind}.json`, schemaText(jsonSchemaOf(kind))] as const),
    ['unnest.json', schemaText(jsonSchemaOfAll())],
  ]);
}

export function schemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
