/**
 * An accepted bundle as it is written down and read back. The values of its documents are checked
 * to be plain data and no more: what they mean, documents/ finds out at every use.
 */
import * as z from 'zod';
import { documentLimits } from '../../documents/limits.ts';
import type { PartitionName } from '../../model/names.ts';
import type { AcceptedBundle, HistoryEntry } from '../../report/submission.ts';
import { isPlain, valueDepthMax } from './plain-value.ts';
import { named, shownText, time } from './stored-parts.ts';

/** As many digits as the name of a file has. */
export const generationMax = 999_999_999_999;
/** No partition can have that many things. */
const deletionsMost = 1_000_000;
/** PATH_MAX. */
const fileCharactersMax = 4096;
const submitterCharactersMax = 256;

const generation = z.int().min(1).max(generationMax);

const plainDocument = z.strictObject({
  file: shownText(fileCharactersMax),
  value: z
    .unknown()
    .refine((value) => isPlain(value), `not plain data, or nested deeper than ${valueDepthMax}`),
});

export const plainDocuments = z.array(plainDocument).max(documentLimits.documentsMax);

export const submitter = shownText(submitterCharactersMax);

/** All but the documents. */
export const bundleHead = z.strictObject({
  partition: named<PartitionName>(),
  generation,
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a digest'),
  acceptedAt: time,
  source: z.enum(['Directory', 'Apply', 'Channel']),
  submitter,
  rollbackOf: generation.nullable(),
  deleteEverything: z.boolean(),
  deletionsMax: z.int().min(0).max(deletionsMost).nullable(),
});

export const acceptedBundle: z.ZodType<AcceptedBundle> = z.strictObject({
  ...bundleHead.shape,
  documents: plainDocuments,
});

export function historyEntry({ documents, ...head }: AcceptedBundle): HistoryEntry {
  return { ...head, documentCount: documents.length };
}
