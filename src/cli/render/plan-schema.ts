/**
 * `plan -o json` as a schema: what programs may rely on. Within `v1` fields and words are only ever
 * added, so a reader must pass over what it does not know.
 */
import * as z from 'zod';
import { REASONS } from '../../diff/change.ts';
import { IMPACTS, ORIGINS } from '../../diff/fields.ts';
import { PHASES } from '../../plan/operation.ts';

export const PLAN_API_VERSION = 'unnest.dev/plan/v1';

const count = z.int().nonnegative();
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const field = z
  .strictObject({
    path: z.string().describe('Where it stands in the document, such as spec.memory.'),
    from: scalar.describe('What is; null where there is nothing. Sizes in bytes, times in ms.'),
    to: scalar.describe('What is wanted.'),
    impact: z.enum(IMPACTS).describe('What the change means for a running guest.'),
    origin: z.enum(ORIGINS).describe('Who made the difference: the document or somebody else.'),
  })
  .describe('One difference.');

const change = z.discriminatedUnion('action', [
  z.strictObject({
    name: z.string(),
    action: z.enum(['create', 'update', 'delete']),
    impact: z.enum(IMPACTS),
    reasons: z.array(z.enum(REASONS)),
    fields: z.array(field),
    waiting: z.array(field).describe('What the running guest takes at its next start only.'),
    operations: z.array(z.string()).describe('Ids, in execution order.'),
  }),
  z.strictObject({
    name: z.string(),
    action: z.literal('blocked'),
    block: z.strictObject({ code: z.string(), message: z.string() }),
  }),
  z.strictObject({ name: z.string(), action: z.literal('unchanged'), waiting: z.array(field) }),
]);

const operation = z.strictObject({
  id: z.string(),
  kind: z.string(),
  secondary: z.string().nullable().describe('Null for what belongs to the whole partition.'),
  phase: z.enum(PHASES),
  after: z.array(z.string()).describe('Ids of operations that must have succeeded first.'),
  description: z.string(),
});

export const planDocumentSchema = z
  .strictObject({
    apiVersion: z.literal(PLAN_API_VERSION),
    partition: z.string(),
    installation: z.string().describe('The id that every UUID here derives from.'),
    summary: z.strictObject({
      create: count,
      update: count,
      restart: count.describe('Those of the updates that restart a guest.'),
      stop: count.describe('Those of the updates that shut a guest down.'),
      delete: count,
      blocked: count,
      unchanged: count,
      waiting: count.describe('Secondaries with changes that wait for their next start.'),
    }),
    changes: z.array(change).describe('By name, everything that was looked at.'),
    operations: z.array(operation).describe('In execution order.'),
  })
  .describe('A plan of unnest, as `unnest plan -o json` prints it.');

export type PlanDocument = z.output<typeof planDocumentSchema>;

/** As `schemas/plan.v1.json` holds it; readers of later versions must bear unknown fields. */
export function planSchemaText(): string {
  const schema = z.toJSONSchema(planDocumentSchema, {
    target: 'draft-07',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
