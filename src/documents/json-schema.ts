/**
 * The JSON Schemas (draft-07, which editors read) of the documents, from the same zod schemas that
 * judge them. What JSON Schema cannot say (ranges of sizes, names that others have) it leaves out,
 * so that it never refuses what unnest accepts.
 */
import * as z from 'zod';
import { type Kind, kinds, schemas } from './schema.ts';
import { API_VERSION } from './schema-parts.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

const draft = 'http://json-schema.org/draft-07/schema#';

export function jsonSchemaOf(kind: Kind): JsonSchema {
  return jsonSchemaFrom(schemas[kind]);
}

/** Of a document that is in no bundle. */
export function jsonSchemaFrom(schema: z.ZodType): JsonSchema {
  return generate(schema, describe);
}

/** The same, with the words of `FieldWords` and `expects` apart. Not JSON Schema any more. */
export function fieldSchemaOf(kind: Kind): JsonSchema {
  return generate(schemas[kind], () => undefined);
}

function generate(schema: z.ZodType, adapt: (schema: JsonSchema) => void): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-07',
    // What people write, before defaults and units.
    io: 'input',
    // Each field has words of its own, so nothing is worth sharing.
    reused: 'inline',
    override: ({ jsonSchema }) => adapt(jsonSchema),
  });
}

/** One schema for all kinds. Not a `oneOf`: editors would then speak of every kind at once. */
export function jsonSchemaOfAll(): JsonSchema {
  return {
    $schema: draft,
    title: 'unnest',
    description: 'A document of unnest, of any kind.',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { const: API_VERSION, description: 'The version of this language.' },
      kind: { enum: [...kinds], description: 'What the document describes.' },
    },
    allOf: kinds.map((kind) => ({
      if: { required: ['kind'], properties: { kind: { const: kind } } },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { $ref: `#/definitions/${kind}` },
    })),
    definitions: Object.fromEntries(kinds.map((kind) => [kind, withoutDraft(jsonSchemaOf(kind))])),
  };
}

function withoutDraft({ $schema: _draft, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** Editors show the description and nothing else, so it also has to say default and impact. */
function describe(schema: JsonSchema): void {
  const { description, change, default: fallback } = schema;
  delete schema['change'];
  delete schema['expects'];
  if (description === undefined) return;
  const more = [];
  if (fallback !== undefined) more.push(`Default: ${JSON.stringify(fallback)}.`);
  if (typeof change === 'string') more.push(`Changing it on a running guest: ${change}.`);
  schema.description = [description, ...more].join('\n\n');
}
