/**
 * What may be asked over the operator's socket: the one source of the checks on the server's side
 * and of the types on the client's. What is not known is refused: whoever sends a field means it.
 */
import * as z from 'zod';
import { documentLimits } from '../documents/limits.ts';
import {
  imageName,
  type ImageName,
  partitionName,
  type PartitionName,
  secondaryName,
  type SecondaryName,
} from '../model/names.ts';
import { channelLimits } from './limits.ts';

const nameRule = 'expected 1 to 32 of a-z 0-9 -, starting with a letter';

const partition = z.string().transform((text, context): PartitionName => {
  const name = partitionName(text);
  if (name !== undefined) return name;
  context.addIssue({ code: 'custom', message: nameRule });
  return z.NEVER;
});

export const secondary = z.string().transform((text, context): SecondaryName => {
  const name = secondaryName(text);
  if (name !== undefined) return name;
  context.addIssue({ code: 'custom', message: nameRule });
  return z.NEVER;
});

export const image = z.string().transform((text, context): ImageName => {
  const name = imageName(text);
  if (name !== undefined) return name;
  context.addIssue({ code: 'custom', message: nameRule });
  return z.NEVER;
});

const generation = z.int().positive();

const file = z.strictObject({
  path: z.string().min(1).max(channelLimits.pathCharactersMax),
  text: z.string(),
});

export const submissionSchema = z.strictObject({
  files: z
    .array(file)
    .max(channelLimits.filesMax)
    .refine(
      (files) => charactersOf(files) <= documentLimits.bundleBytesMax,
      `larger than ${documentLimits.bundleBytesMax} characters together`,
    ),
  generation: generation.nullish(),
  ifGeneration: z.int().nonnegative().nullish(),
  deleteEverything: z.boolean().optional(),
  deletionsMax: z.int().nonnegative().nullish(),
  /** What a folder holds, handed in again and again: what was rolled back does not come back by it. */
  folder: z.strictObject({ isComplete: z.boolean() }).nullish(),
});
/** What is only to be planned with. */
export const planSchema = submissionSchema.pick({
  files: true,
  deleteEverything: true,
  deletionsMax: true,
});
export type PlanMessage = z.input<typeof planSchema>;

/** What a client sends. */
export type SubmissionMessage = z.input<typeof submissionSchema>;

export const rollbackSchema = z.strictObject({ generation });

const reason = z.string().min(1).max(channelLimits.reasonCharactersMax);

export const pauseSchema = z
  .strictObject({
    secondary: secondary.nullish(),
    reason,
    expiresAt: z.iso.datetime().nullish(),
    forSeconds: z.int().positive().max(channelLimits.holdSecondsMax).nullish(),
  })
  .refine(
    ({ expiresAt, forSeconds }) => (expiresAt ?? null) === null || (forSeconds ?? null) === null,
    'expiresAt and forSeconds do not go together',
  );
export type PauseMessage = z.input<typeof pauseSchema>;

export const resumeSchema = z.strictObject({ secondary: secondary.nullish() });

/** What a server says that it can, beyond the first version of the API. */
export type ApiFeature =
  | 'idempotency-key'
  /** Who hands in what is in force already has the host looked at anew. */
  | 'looks-anew';

/** As draft-ietf-httpapi-idempotency-key-header has it, without its quotes. */
export const KEY_HEADER = 'idempotency-key';

/** Any text of these, such as a UUID, with or without the quotes of a structured field. */
export const orderKey = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9_.:-]{1,64}|"[A-Za-z0-9_.:-]{1,64}")$/,
    'expected 1 to 64 of A-Z a-z 0-9 _ . : -',
  )
  .transform((text) => text.replaceAll('"', ''))
  .optional();

/** An order without anything to say: no body, or an empty object. */
export const nothingSchema = z.strictObject({}).nullish();

/** As a line of the console's stream has told it. */
const reader = z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected what the stream calls this reader');

export const consoleClaimSchema = z.strictObject({ reader, force: z.boolean().optional() });

export const consoleInputSchema = z.strictObject({
  reader,
  /** In Base64: what is typed may be any bytes. */
  data: z.base64().min(4).max(base64Length(channelLimits.typedBytesMax)),
});

/** Of what is refused whatever it says. */
export const anything = z.unknown();

export const drainSchema = z.strictObject({ confirm: z.string() });

export const partitionParams = z.object({ partition });
export const secondaryParams = z.object({ partition, secondary });
export const imageParams = z.object({ partition, image });

/** Where these bytes are in the whole. */
export const uploadQuery = z.strictObject({
  at: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,14})$/, 'expected a number of bytes')
    .transform(Number),
});
/** Bytes as they are, and no JSON. */
export const BYTES_TYPE = 'application/octet-stream';
export const bytesSchema = z.instanceof(Uint8Array, { error: 'expected bytes' });

const flag = z
  .enum(['0', '1', 'true', 'false'])
  .transform((word) => word === '1' || word === 'true');

export const statusQuery = z.strictObject({ watch: flag.optional() });

export const usageQuery = z.strictObject({ secondaries: flag.optional() });
export const consoleLogQuery = z.strictObject({
  previous: flag.optional(),
  follow: flag.optional(),
});

/** Of a Primary, of which there is only one partition to tell. */
export const ownEventsQuery = z.strictObject({
  /** `latest`: only those that come from now on. Nothing: all that are kept. */
  after: z
    .union([
      z.literal('latest'),
      z
        .string()
        .regex(/^[0-9]{1,15}$/, 'expected the number of an event, or latest')
        .transform(Number),
    ])
    .optional(),
  watch: flag.optional(),
});
export const eventsQuery = ownEventsQuery.extend({ partition: partition.optional() });
/** The longest that is answered in one piece. */
export const auditQuery = z.strictObject({
  partition: partition.optional(),
  last: z
    .string()
    .regex(/^(?:[1-9][0-9]{0,3}|10000)$/, 'expected a number from 1 to 10000')
    .transform(Number)
    .optional(),
});

/** What a client asks for. */
export interface EventsQuery {
  readonly after?: number | 'latest';
  readonly watch?: boolean;
  /** Those of the host as a whole come with those of a partition. */
  readonly partition?: PartitionName;
}

function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

function charactersOf(files: readonly { readonly text: string }[]): number {
  return files.reduce((sum, { text }) => sum + text.length, 0);
}
