/**
 * The worker's own work: documents to plain data, or to what is wrong with them. It runs where
 * nothing it could do would matter; see `checked-answer.ts` for what the daemon makes of it.
 */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { PlainDocument } from '../../documents/plain-document.ts';
import { tenantBundle, tenantDocuments } from '../../documents/tenant-bundle.ts';
import { frameOf } from './frames.ts';
import { isAffordable } from './json-cost.ts';
import { workerLimits } from './limits.ts';
import type { ParseAnswer, ParseRequest } from './protocol.ts';

/** @returns a frame */
export function answerTo(request: ParseRequest): Uint8Array {
  const frame = frameOf(judged(request));
  return fits(frame, request) ? frame : frameOf(invalid(request, [tooLarge(request)]));
}

/** By the daemon's own measure, which takes what is beyond it for an attack. */
function fits(frame: Uint8Array, { answerBytesMax }: ParseRequest): boolean {
  const { answerValuesMax, answerDepthMax } = workerLimits;
  return frame.length <= answerBytesMax && isAffordable(frame, answerValuesMax, answerDepthMax);
}

function judged(request: ParseRequest): ParseAnswer {
  const { id, partition, files, partitionDocument } = request;
  const parsed = tenantBundle(files, partition, partitionDocument);
  if (!parsed.ok) return invalid(request, parsed.diagnostics);
  // What is wrong with the operator's document is not for the tenant to mend.
  const paths = new Set(files.map(({ path }) => path));
  const notYet = parsed.bundle.notYet.filter(({ file }) => paths.has(file));
  if (notYet.length > 0) return invalid(request, notYet);
  const documents: readonly PlainDocument[] = tenantDocuments(parsed.bundle.documents);
  if (documents.length > documentLimits.documentsMax) return invalid(request, [tooLarge(request)]);
  return { id, status: 'parsed', documents };
}

function invalid({ id }: ParseRequest, diagnostics: readonly Diagnostic[]): ParseAnswer {
  return { id, status: 'invalid', diagnostics: diagnostics.map(short) };
}

/** A line may be as long as a document, and a mistake is to be read. */
function short(diagnostic: Diagnostic): Diagnostic {
  const { messageCharactersMax, pathCharactersMax, excerptCharactersMax } = workerLimits;
  const { path, message, remedy, excerpt, column } = diagnostic;
  return {
    ...diagnostic,
    path: path.slice(0, pathCharactersMax),
    message: message.slice(0, messageCharactersMax),
    remedy: remedy?.slice(0, messageCharactersMax) ?? null,
    // A line that is cut before its mistake shows nothing.
    excerpt:
      column > excerptCharactersMax ? null : (excerpt?.slice(0, excerptCharactersMax) ?? null),
  };
}

function tooLarge({ files, answerBytesMax }: ParseRequest): Diagnostic {
  const { documentsMax } = documentLimits;
  return {
    code: 'TooLarge',
    file: files[0]?.path ?? '',
    line: 0,
    column: 0,
    path: '',
    message: `these are more than ${documentsMax} documents, or more than ${answerBytesMax} bytes once their aliases are written out`,
    remedy: 'use fewer aliases, or split them over several partitions',
    excerpt: null,
  };
}
