/**
 * `plan -o json` as a schema: what programs may rely on. Within `v1` fields and words are only ever
 * added, so a reader must pass over what it does not know.
 */
import * as z from 'zod';
import { REASONS } from '../../diff/change.ts';
import { IMPACTS, ORIGINS } from '../../diff/fields.ts';
import { RESOURCE_KINDS } from '../../model/resource.ts';
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

const head = {
  resource: z
    .enum(RESOURCE_KINDS)
    .describe('What kind of thing it is. Documents of before this field speak of Secondaries.'),
  name: z.string().describe('Of the network: the name of the partition.'),
};

const change = z.discriminatedUnion('action', [
  z.strictObject({
    ...head,
    action: z.enum(['create', 'update', 'delete']),
    impact: z.enum(IMPACTS),
    reasons: z.array(z.enum(REASONS)),
    fields: z.array(field),
    waiting: z.array(field).describe('What the running guest takes at its next start only.'),
    operations: z.array(z.string()).describe('Ids, in execution order.'),
  }),
  z.strictObject({
    ...head,
    action: z.literal('blocked'),
    block: z.strictObject({ code: z.string(), message: z.string() }),
  }),
  z.strictObject({ ...head, action: z.literal('unchanged'), waiting: z.array(field) }),
  z
    .strictObject({ ...head, action: z.literal('kept') })
    .describe('No document speaks of it, and it is to stay.'),
]);

const operation = z.strictObject({
  id: z.string(),
  kind: z.string(),
  secondary: z.string().nullable().describe('Null for what is not about a Secondary.'),
  resource: z
    .strictObject({ kind: z.enum(RESOURCE_KINDS), name: z.string() })
    .nullable()
    .describe('Null for what belongs to the whole installation.'),
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
      kept: count.describe('What no document speaks of and stays all the same.'),
      destroysData: count.describe('Those of the deletions that lose what a Volume holds.'),
      waiting: count.describe('Secondaries with changes that wait for their next start.'),
    }),
    changes: z
      .array(change)
      .describe('The network, Images, Volumes, Secondaries, each by name: all that was looked at.'),
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
