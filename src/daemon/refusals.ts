/** Why a submission is not taken, in the same words wherever that is found out. */
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { RefusalCode, SubmissionResult } from '../report/submission.ts';

export type Refusal = Extract<SubmissionResult, { readonly status: 'refused' }>;

export function refused(code: RefusalCode, message: string): Refusal {
  return { status: 'refused', code, message, diagnostics: [] };
}

export const closing = 'unnestd is letting go of the partition';
export const closedRefusal: Refusal = refused('NotStored', closing);

export const drainingRefusal: Refusal = refused(
  'Draining',
  'the partition is being emptied; `unnest resume` ends that',
);

/** The first of them in words, and all of them as they are. */
export function invalidRefusal(diagnostics: readonly Diagnostic[]): Refusal {
  return { ...refused('Invalid', firstOf(diagnostics)), diagnostics };
}

const toldMax = 3;

/** What is cut off is often the mistake, and the first only what comes of it. */
function firstOf(diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0) return 'the documents are not valid';
  const told = diagnostics.slice(0, toldMax).map(wordsOf).join('; ');
  const more = diagnostics.length - toldMax;
  return more > 0 ? `${told} (and ${more} more)` : told;
}

function wordsOf({ file, line, column, code, message, remedy }: Diagnostic): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return `${place}: ${code}: ${message}${remedy === null ? '' : ` (${remedy})`}`;
}
