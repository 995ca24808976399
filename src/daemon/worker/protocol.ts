/** What the daemon asks a worker, and what an honest one answers: JSON in frames, one at a time. */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import type { JsonBounds } from '../../documents/json-cost.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { PlainDocument } from '../../documents/plain-document.ts';
import type { SourceFile } from '../../documents/source.ts';
import type { PartitionName } from '../../model/names.ts';
import { workerLimits } from './limits.ts';

export interface ParseRequest {
  /** Never used twice for one worker. */
  readonly id: number;
  readonly partition: PartitionName;
  readonly files: readonly SourceFile[];
  /** The operator's; null: not known, so that nothing is judged beside it. */
  readonly partitionDocument: PlainDocument | null;
  /** The most JSON that the answer may be. */
  readonly answerBytesMax: number;
}

export type ParseAnswer =
  | {
      readonly id: number;
      readonly status: 'parsed';
      readonly documents: readonly PlainDocument[];
    }
  | {
      readonly id: number;
      readonly status: 'invalid';
      readonly diagnostics: readonly Diagnostic[];
    };

/** A character of text is at most six of JSON (`\u0001`), and a name of a file comes once with each. */
export const requestBytesMax = 8 * documentLimits.bundleBytesMax;

/**
 * As much as documents of so many characters may grow, by aliases and by being written as JSON: an
 * answer costs the daemon memory, so a small request is not worth a large one.
 */
export function answerBytesMax(characters: number): number {
  return Math.min(workerLimits.answerBytesMax, 2 ** 20 + 8 * characters);
}

/** What no document is without, `apiVersion: unnest.dev/v1`, has as many. */
const documentCharactersMin = 25;
/** What an answer may have besides: diagnostics, its own fields, small documents with large aliases. */
const outerValuesMin = documentLimits.diagnosticsMax + 100;
const valuesMin = 10_000;

/** What an answer costs the daemon to look at, in proportion to what was asked, too. */
export function answerBounds({ files }: Pick<ParseRequest, 'files'>): JsonBounds {
  const characters = files.reduce((sum, { text }) => sum + text.length, 0);
  const { answerDepthMax, answerValuesMax, documentValuesMax, keyBytesMax, textBytesMax } =
    workerLimits;
  const documents = Math.ceil(characters / documentCharactersMin);
  return {
    depthMax: answerDepthMax,
    valuesMax: Math.min(answerValuesMax, valuesMin + characters),
    outerValuesMax: outerValuesMin + Math.min(documentLimits.documentsMax, documents),
    itemValuesMax: documentValuesMax,
    keyBytesMax,
    textBytesMax,
  };
}

/** How long documents of so many characters may take to read. */
export function parseMsMax(characters: number): number {
  const { parseMsMin, parseMsPerMebibyte } = workerLimits;
  return parseMsMin + Math.round((parseMsPerMebibyte * characters) / 2 ** 20);
}
