/**
 * What the client checks of an answer: that it is of the kind that was asked for. A daemon of a later
 * version may say more, and use words that this one does not know; that is no reason to refuse it.
 */
import * as z from 'zod';
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { AuditEntry } from '../report/audit.ts';
import type { EventRecord } from '../report/event.ts';
import type { HostSum } from '../report/host-sum.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import type { AcceptedBundle, HistoryEntry, SubmissionResult } from '../report/submission.ts';
import type { UsageSample } from '../report/usage-sample.ts';
import type { PartitionName } from '../model/names.ts';
import { LVM_NAME_PATTERN } from '../model/thin-pool.ts';
import type { AgentLine } from './api-agent.ts';
import type { ConsoleLine, ConsoleLogLine } from './api-reads.ts';
import type { Answer, ImageState, PartitionProblem, PlanResult } from './control.ts';

/** The part that is checked stands for the whole, which this version of the types describes. */
function loosely<T>(shape: z.ZodRawShape): z.ZodType<T> {
  return z.looseObject(shape) as unknown as z.ZodType<T>;
}

const text = z.string();
const lvmName = text.regex(LVM_NAME_PATTERN);
/** What the daemon calls it is one. */
const branded = <T extends string>() => text as unknown as z.ZodType<T, string>;
const count = z.number();
const items = <T>(schema: z.ZodType<T>) => z.looseObject({ items: z.array(schema) });

const condition = z.looseObject({ type: text, status: text, reason: text, message: text });

export const statusAnswer = loosely<PartitionStatus>({
  partition: text,
  generation: count,
  digest: text,
  sync: text,
  health: text,
  conditions: z.array(condition),
  secondaries: z.array(
    z.looseObject({
      name: text,
      status: text,
      sync: text,
      health: text,
      labels: z.record(z.string(), text),
      conditions: z.array(condition),
    }),
  ),
  resources: z.array(z.looseObject({ kind: text, name: text, sync: text })),
  lastPass: z
    .looseObject({ at: text, applied: count, failed: count, failures: z.array(text) })
    .nullable(),
  nextTryAt: text.nullable(),
});
const sumLine = z.looseObject({
  promised: count,
  available: count.nullable(),
  there: count.nullable(),
  reserved: count,
  factor: count,
});
/** A daemon of before says neither where they are, nor what is wrong with them or promised to them. */
export const partitionsAnswer = z.looseObject({
  items: z.array(statusAnswer),
  problems: z
    .array(loosely<PartitionProblem>({ file: text, code: text, message: text }))
    .default([]),
  partitionsDir: text.nullable().default(null),
  promised: loosely<HostSum>({ vcpus: sumLine, memoryBytes: sumLine }).nullable().default(null),
});
export type Partitions = z.output<typeof partitionsAnswer>;

const entry = { generation: count, digest: text, acceptedAt: text, source: text, submitter: text };
const historyEntry = loosely<HistoryEntry>(entry);
export const historyAnswer = items(historyEntry);
export const descriptionAnswer = loosely<PlainDocument>({ file: z.string(), value: z.unknown() });
export const bundleAnswer = loosely<AcceptedBundle>({ ...entry, documents: z.array(z.unknown()) });

export type Accepted = Exclude<SubmissionResult, { readonly status: 'refused' }>;
export const submissionAnswer = loosely<Accepted>({
  status: z.enum(['accepted', 'unchanged']),
  bundle: historyEntry,
});

export const orderAnswer = loosely<Extract<Answer, { readonly status: 'ok' }>>({ message: text });

/** A daemon of before says only its version. */
export const versionAnswer = z.looseObject({
  version: text,
  host: text.nullable().default(null),
  stateDir: text.nullable().default(null),
  /** Null: there is none, or it was said by a daemon of before there could be one. */
  thinPool: z.looseObject({ group: lvmName, pool: lvmName }).nullable().default(null),
  /** To a Primary, of which there is one partition; null: to an operator. */
  partition: branded<PartitionName>().nullable().default(null),
  /** What it can beyond its first version. */
  features: z.array(text).default([]),
});
export type About = z.output<typeof versionAnswer>;

/** Where the partition is in what a Primary is answered. */
export const primaryAt = '/v1/partition';

export type Planned = Extract<PlanResult, { readonly status: 'planned' }>;
export const planAnswer = loosely<Planned>({
  status: z.literal('planned'),
  plan: z.looseObject({
    partition: text,
    entries: z.array(z.looseObject({ kind: text })),
    operations: z.array(z.looseObject({ kind: text, id: text })),
  }),
  generation: count,
});

export const auditAnswer = items(
  loosely<AuditEntry>({ at: text, by: text, partition: text, request: text, outcome: text }),
);

export const imageAnswer = loosely<ImageState>({
  name: text,
  phase: text,
  message: text,
  source: text,
  sizeBytes: count.nullable(),
  receivedBytes: count.nullable(),
  serial: text.nullable(),
  handedOver: z.boolean().nullable().default(null),
});
export const uploadAnswer = z.looseObject({ receivedBytes: count, sizeBytes: count });

export const consoleAnswer = loosely<ConsoleLine>({ kind: text });
export const consoleLogAnswer = loosely<ConsoleLogLine>({ kind: text });

export const usageAnswer = loosely<UsageSample>({
  atMs: count,
  slice: z.looseObject({ memoryBytes: count, cpuUs: count, processes: count }).nullable(),
  secondaries: z
    .array(z.looseObject({ name: text, cpuUs: count, memoryBytes: count.nullable() }))
    .nullable(),
});

export const agentAnswer = loosely<AgentLine>({ kind: text });

/** Kinds of events that this version does not know are passed over by whoever shows them. */
export const eventAnswer = loosely<EventRecord>({
  seq: count,
  at: text,
  event: z.looseObject({ kind: text }),
});

const diagnostic = loosely<Diagnostic>({
  code: text,
  file: text,
  line: count,
  column: count,
  path: text,
  message: text,
  remedy: text.nullable(),
  excerpt: text.nullable(),
});

export const problemAnswer = z.looseObject({
  code: text,
  detail: text,
  diagnostics: z.array(diagnostic).optional(),
});
