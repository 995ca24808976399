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

function firstOf([first, ...more]: readonly Diagnostic[]): string {
  if (first === undefined) return 'the documents are not valid';
  const { file, line, column, code, message } = first;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return `${place}: ${code}: ${message}${rest}`;
}
