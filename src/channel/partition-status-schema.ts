/**
 * A partition's status as a schema: what programs may rely on that read `unnest status -o json`, the
 * API or a status file. Within `v1` fields and words are only ever added, so a reader must pass over
 * what it does not know.
 */
import * as z from 'zod';
import { RESOURCE_KINDS } from '../model/resource.ts';
import { CONDITION_TYPES } from '../report/condition.ts';
import {
  HEALTH_WORDS,
  STATUS_WORDS,
  SYNC_WORDS,
  IMAGE_PHASES,
} from '../report/partition-status.ts';
import { PRIMARY_NIC_WORDS } from '../report/primary-nic.ts';

const count = z.int().nonnegative();
const bytes = z.int().nonnegative();
const instant = z.iso.datetime().describe('ISO 8601, UTC.');
const sync = z.enum(SYNC_WORDS).describe('Does the host have what the documents ask for?');
const health = z.enum(HEALTH_WORDS).describe('And is what is there well?');

const condition = z.strictObject({
  type: z.enum(CONDITION_TYPES),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z
    .string()
    .describe('One word in CamelCase; `unnest explain` knows the codes among them.'),
  message: z.string().describe('For people; may be empty.'),
  since: instant.describe('Since when `status` is what it is: ISO 8601, UTC.'),
  generation: count.describe('Of the documents that it speaks of; 0: none were accepted yet.'),
});

const secondary = z.strictObject({
  name: z.string(),
  status: z.enum(STATUS_WORDS).describe('One word for a row of a table.'),
  sync,
  health,
  domain: z.string().nullable().describe("libvirt's name of its domain; null: there is none."),
  uuid: z.string().nullable(),
  address: z.string().nullable().describe('The one that the network keeps for it.'),
  vcpus: count.nullable(),
  memoryBytes: bytes.nullable(),
  labels: z.record(z.string(), z.string()),
  conditions: z.array(condition),
});

const resource = z.strictObject({
  phase: z.enum(IMAGE_PHASES).nullable(),
  kind: z.enum(RESOURCE_KINDS).exclude(['secondary']),
  name: z.string(),
  sync,
  message: z.string().describe('Why it is blocked or unknown; empty otherwise.'),
});

const amounts = z.strictObject({
  vcpus: count,
  memoryBytes: bytes.describe('With what each virtual machine needs besides its guest.'),
  storageBytes: bytes,
  secondaries: count,
});

const pass = z
  .strictObject({
    at: instant.describe('When it ended: ISO 8601, UTC.'),
    because: z.array(z.string()).describe('What has woken it, in order of coming.'),
    durationMs: z.number().nonnegative(),
    applied: count,
    already: count,
    failed: count,
    skipped: count,
    cancelled: count,
    failures: z.array(z.string()).describe('One line for each failure, as a person reads it.'),
  })
  .describe('What was done last.');

const primaryNic = z
  .strictObject({
    status: z
      .enum(PRIMARY_NIC_WORDS)
      .describe('Plugged: the running Primary has it. None: it has none, and the rest is null.'),
    mac: z.string().nullable().describe('By which its guest finds it; in lower case.'),
    address: z.string().nullable().describe('The IPv4 address that the network keeps for it.'),
    prefixLength: count
      .nullable()
      .describe('Of the network: what is reached by that NIC, and no default route.'),
  })
  .describe("What unnest has given the Primary on the partition's network (grant network).");

export const partitionStatusSchema = z
  .strictObject({
    apiVersion: z.literal('unnest.dev/v1'),
    kind: z.literal('PartitionStatus'),
    partition: z.string(),
    generation: count.describe('Of the accepted documents; 0: none yet.'),
    observedGeneration: count.describe('Of those that the last look was about.'),
    digest: z.string().describe('`sha256:` of the accepted ones; empty: none yet.'),
    sync,
    health,
    conditions: z.array(condition),
    secondaries: z.array(secondary),
    resources: z.array(resource),
    usage: z.strictObject({
      secondaries: count,
      runningVcpus: count,
      runningMemoryBytes: bytes,
      storageBytes: bytes,
      allocated: amounts.describe('As it counts towards the limits.'),
      primary: amounts.nullable().describe('What of that the Primary has; null: it has none.'),
      limits: amounts.nullable().describe('What it may have at most; null: nothing limits it.'),
    }),
    primaryNic,
    lastPass: pass.nullable(),
    nextTryAt: instant.nullable().describe('When it is tried again by itself; null: not planned.'),
  })
  .describe('How a partition is, as unnestd says.');

/** As `schemas/partition-status.v1.json` holds it; readers of later versions must bear unknown fields. */
export function partitionStatusSchemaText(): string {
  const schema = z.toJSONSchema(partitionStatusSchema, {
    target: 'draft-07',
    override: ({ jsonSchema }) => {
      // Only where nothing more may be: what values a record has stays said.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
