/**
 * The API as OpenAPI 3.1, made of the same schemas that check requests and answers. Its JSON Schema is
 * that of draft 2020-12, which zod writes too.
 */
import * as z from 'zod';
import { eventAnswer, orderAnswer, problemAnswer, submissionAnswer } from './client-answers.ts';
import { type RouteFacts, type Serving } from './api-route.ts';
import { KEY_HEADER, orderKey } from './messages.ts';
import { addRoutes } from './api-routes.ts';
import { BYTES_TYPE, bytesSchema } from './messages.ts';
import { partitionStatusSchema } from './partition-status-schema.ts';
import { PROBLEM_TYPE } from './problem.ts';
import { operatorScope, primaryScope, type Scope } from './scope.ts';
import type { PartitionName } from '../model/names.ts';

type Json = Readonly<Record<string, unknown>>;

const about = {
  operator: {
    title: 'unnest, for operators of a host',
    description: "On unnestd's operators' socket, /run/unnest/operator.sock.",
  },
  primary: {
    title: 'unnest, for a Primary',
    description:
      'By vsock at CID 2, from a port below 1024, where the partition has source Channel; and on the socket of `unnest agent`. The partition is the one whose Primary asks.',
  },
} as const satisfies { readonly [K in Scope['kind']]: object };

/** By the name of its file in `schemas/`. */
export function openApiFiles(): ReadonlyMap<string, string> {
  const scopes = [operatorScope, primaryScope('any' as PartitionName)];
  return new Map(
    scopes.map((scope) => [`openapi.${scope.kind}.v1.json`, textOf(openApiOf(scope))]),
  );
}

const textOf = (document: Json) => `${JSON.stringify(document, null, 2)}\n`;

export function openApiOf(scope: Scope): Json {
  const paths = new Map<string, Record<string, Json>>();
  for (const facts of routesOf(scope)) {
    const path = facts.url.replace(/:([a-z]+)/g, '{$1}');
    const operations = paths.get(path) ?? {};
    operations[facts.method.toLowerCase()] = operationOf(facts);
    paths.set(path, operations);
  }
  return {
    openapi: '3.1.0',
    info: {
      ...about[scope.kind],
      version: 'v1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://localhost' }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: Object.fromEntries(
        [...named].map(([schema, name]) => [name, schemaOf(schema, 'answer')]),
      ),
    },
  };
}

function routesOf(scope: Scope): readonly RouteFacts[] {
  const all: RouteFacts[] = [];
  const app = {
    // Border: as `route` calls it, with its facts.
    route: ({ config }: { readonly config: { readonly facts: RouteFacts } }) =>
      void all.push(config.facts),
  };
  addRoutes({ app, scope, runtime: {} } as unknown as Serving);
  return all;
}

function operationOf({ method, url, says, params, query, body, takesKey }: RouteFacts): Json {
  const { summary, answer, isStream = false } = says;
  const { type = isStream ? 'application/x-ndjson' : 'application/json' } = says;
  const problem = { [PROBLEM_TYPE]: { schema: answerOf(problemAnswer) } };
  return {
    operationId: operationIdOf(method, url),
    summary,
    ...withParameters([
      ...parametersIn('path', params, url),
      ...parametersIn('query', query, url),
      ...(takesKey ? [keyParameter()] : []),
    ]),
    ...(body === undefined ? {} : { requestBody: requestOf(body) }),
    responses: {
      200: {
        description: isStream ? 'One value a line.' : summary,
        content: { [type]: { schema: answerOf(answer) } },
      },
      default: {
        description: 'Why not (RFC 9457); `code` is what programs compare.',
        content: problem,
      },
    },
  };
}

function operationIdOf(method: string, url: string): string {
  const words = url
    .split('/')
    .filter((word) => word !== '' && word !== 'v1' && !word.startsWith(':'));
  return [method.toLowerCase(), ...words].join('_');
}

const withParameters = (parameters: readonly Json[]) =>
  parameters.length === 0 ? {} : { parameters };

const keyParameter = (): Json => ({
  name: KEY_HEADER,
  in: 'header',
  required: false,
  description:
    'The same key again, within an hour: the same answer, and nothing is done twice. With another order: KeyReused.',
  schema: schemaOf(orderKey, 'request'),
});

function parametersIn(
  place: 'path' | 'query',
  schema: z.ZodType | undefined,
  url: string,
): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'request') as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties)
    .filter(([name]) => place === 'query' || url.includes(`:${name}`))
    .map(([name, each]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: each,
    }));
}

function requestOf(body: z.ZodType): Json {
  if (body === bytesSchema) {
    return { required: true, content: { [BYTES_TYPE]: { schema: {} } } };
  }
  const schema = schemaOf(body, 'request');
  return {
    required: !body.safeParse(undefined).success,
    content: { 'application/json': { schema } },
  };
}

/** What several routes answer. */
const named: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [partitionStatusSchema, 'PartitionStatus'],
  [problemAnswer, 'Problem'],
  [eventAnswer, 'EventRecord'],
  [submissionAnswer, 'Accepted'],
  [orderAnswer, 'Done'],
]);

function answerOf(schema: z.ZodType): Json {
  const name = named.get(schema);
  return name === undefined ? schemaOf(schema, 'answer') : { $ref: `#/components/schemas/${name}` };
}

function schemaOf(schema: z.ZodType, of: 'request' | 'answer'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    // As it is on the wire, in both directions.
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // What is answered may have more in a later version; what is asked may not.
      if (of === 'answer' && jsonSchema.additionalProperties === false) {
        delete jsonSchema.additionalProperties;
      }
    },
  });
  return rest;
}
