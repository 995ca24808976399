/**
 * What a worker answered, if it is what an honest one could have: the border between a process that
 * anybody may have taken over and the daemon. It is not yet what an honest one would have answered
 * to these documents: they are checked against their schemas by whoever uses them.
 */
import * as z from 'zod';
import { DIAGNOSTIC_CODES, type Diagnostic } from '../../documents/diagnostic.ts';
import { isWithinBounds } from '../../documents/json-cost.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { ParsedDocuments } from '../parser.ts';
import { workerLimits } from './limits.ts';
import { answerBounds, type ParseRequest } from './protocol.ts';
import { tame } from './tame.ts';

const { messageCharactersMax, pathCharactersMax, excerptCharactersMax } = workerLimits;

const place = z
  .int()
  .min(0)
  .max(2 ** 31);
const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .transform((each) => tame(each, charactersMax));

/** Of what was asked, all of which an answer has to fit. */
function schemaFor({ id, files, partitionDocument }: ParseRequest) {
  const names = new Set(files.map(({ path }) => path));
  const file = z.string().refine((name) => names.has(name));
  // The operator's document is judged too, but nobody can hand it in by way of a worker.
  const judged = z.string().refine((name) => names.has(name) || name === partitionDocument?.file);
  const diagnostic = z.strictObject({
    code: z.enum(DIAGNOSTIC_CODES),
    file: judged,
    line: place,
    column: place,
    path: text(pathCharactersMax),
    message: text(messageCharactersMax),
    remedy: text(messageCharactersMax).nullable(),
    excerpt: text(excerptCharactersMax).nullable(),
  }) satisfies z.ZodType<Diagnostic>;
  // zod takes a missing key for an unknown value.
  const value = z.unknown().refine((each) => each !== undefined);
  return z.discriminatedUnion('status', [
    z.strictObject({
      id: z.literal(id),
      status: z.literal('parsed'),
      documents: z.array(z.strictObject({ file, value })).max(documentLimits.documentsMax),
    }),
    z.strictObject({
      id: z.literal(id),
      status: z.literal('invalid'),
      diagnostics: z.array(diagnostic).min(1).max(documentLimits.diagnosticsMax),
    }),
  ]);
}

/** @returns null: no honest worker answers this */
export function checkedAnswer(json: Uint8Array, request: ParseRequest): ParsedDocuments | null {
  if (!isWithinBounds(json, answerBounds(request))) return null;
  const value = valueOf(json);
  const checked = schemaFor(request).safeParse(value);
  if (!checked.success) return null;
  const { id: _, ...answer } = checked.data;
  return answer;
}

/** Undefined: not UTF-8, or not JSON. */
function valueOf(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    return undefined;
  }
}
