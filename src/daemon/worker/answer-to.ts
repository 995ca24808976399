/**
 * The worker's own work: documents to plain data, or to what is wrong with them. It runs where
 * nothing it could do would matter; see `checked-answer.ts` for what the daemon makes of it.
 */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import { isWithinBounds } from '../../documents/json-cost.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { PlainDocument } from '../../documents/plain-document.ts';
import { tenantBundle, tenantDocuments } from '../../documents/tenant-bundle.ts';
import { frameOf, headerBytes } from './frames.ts';
import { answerBounds, type ParseAnswer, type ParseRequest } from './protocol.ts';
import { shortDiagnostic } from './short-diagnostic.ts';

/** @returns a frame */
export function answerTo(request: ParseRequest): Uint8Array {
  const frame = frameOf(judged(request));
  return fits(frame, request) ? frame : frameOf(invalid(request, [tooLarge(request)]));
}

/** By the daemon's own measure, which takes what is beyond it for an attack. */
function fits(frame: Uint8Array, request: ParseRequest): boolean {
  return (
    frame.length <= request.answerBytesMax &&
    isWithinBounds(frame.subarray(headerBytes), answerBounds(request))
  );
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
  return { id, status: 'invalid', diagnostics: diagnostics.map(shortDiagnostic) };
}

function tooLarge(request: ParseRequest): Diagnostic {
  const { files, answerBytesMax } = request;
  const { documentsMax } = documentLimits;
  const { valuesMax } = answerBounds(request);
  return {
    code: 'TooLarge',
    file: files[0]?.path ?? '',
    line: 0,
    column: 0,
    path: '',
    message: `these are more than ${documentsMax} documents, or more than ${answerBytesMax} bytes or ${valuesMax} values once their aliases are written out`,
    remedy: 'use fewer aliases, or split them over several partitions',
    excerpt: null,
  };
}
