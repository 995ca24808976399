/**
 * From files to what is in force, or to why not: a worker reads them, the daemon checks what it was
 * handed, the store writes it down. Nothing before the last step changes anything.
 */
import { desiredFrom } from '../documents/desired-state.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { RefusalCode, SubmissionResult, SubmissionSource } from '../report/submission.ts';
import type { AcceptedStore } from './accepted/accepted-store.ts';
import { nextDocuments } from './accepted/next-submission.ts';
import type { DocumentParser } from './parser.ts';

export interface GivenFiles {
  readonly source: SubmissionSource;
  readonly submitter: string;
  readonly files: readonly SourceFile[];
  readonly generation: number | null;
  readonly ifGeneration: number | null;
  readonly deleteEverything: boolean;
  readonly deletionsMax: number | null;
  /** False: somebody may still be writing, so that what is missing is kept (invariant 6). */
  readonly isComplete: boolean;
}

export interface ReceiveContext {
  readonly partition: PartitionName;
  readonly description: PlainDocument;
  /** Who may say what the partition is to be. */
  readonly rules: SubmissionSource;
  readonly draining: boolean;
  readonly parser: DocumentParser;
  readonly accepted: AcceptedStore;
  /** ISO 8601, UTC. */
  readonly now: () => string;
  readonly onWorkerFailure: (code: string, message: string) => void;
  readonly signal: AbortSignal;
}

export async function receive(
  given: GivenFiles,
  context: ReceiveContext,
): Promise<SubmissionResult> {
  const { partition, rules, draining, parser, onWorkerFailure } = context;
  if (draining)
    return refused('Draining', 'the partition is being emptied; `unnest resume` ends that');
  if (given.source !== rules) return refused('NotTheSource', notTheSource(given.source, rules));
  const answer = await parser.parse(partition, given.files, context.signal, context.description);
  switch (answer.status) {
    case 'failed':
      onWorkerFailure(answer.code, answer.message);
      return refused('NotRead', `${answer.code}: ${answer.message}`);
    case 'invalid':
      return invalid(answer.diagnostics);
    case 'parsed':
      return take(given, answer.documents, context);
  }
}

function take(
  given: GivenFiles,
  parsed: readonly PlainDocument[],
  { partition, description, accepted, now }: ReceiveContext,
): Promise<SubmissionResult> | SubmissionResult {
  const { files: _, isComplete, ...submission } = given;
  const { inForce } = accepted;
  const documents = isComplete ? parsed : nextDocuments(inForce?.documents ?? [], parsed).documents;
  // What was put together with those in force must not come over others.
  const ifGeneration = isComplete ? given.ifGeneration : (inForce?.generation ?? 0);
  // Never on the worker's word alone.
  const judged = desiredFrom(description, documents);
  if (!judged.ok) return invalid(judged.diagnostics);
  return accepted.accept({ ...submission, ifGeneration, partition, documents }, now());
}

function invalid(diagnostics: Extract<SubmissionResult, { status: 'refused' }>['diagnostics']) {
  const [first] = diagnostics;
  const place =
    first === undefined || first.line === 0
      ? (first?.file ?? '')
      : `${first.file}:${first.line}:${first.column}`;
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  const message =
    first === undefined
      ? 'the documents are not valid'
      : `${place}: ${first.code}: ${first.message}${more}`;
  return { status: 'refused', code: 'Invalid', message, diagnostics } as const;
}

function notTheSource(source: SubmissionSource, rules: SubmissionSource): string {
  return `this came by ${words[source]}, and spec.source of the partition is ${rules}: ${words[rules]}`;
}

const words: { readonly [S in SubmissionSource]: string } = {
  Directory: "files in the partition's directory on the host",
  Apply: '`unnest apply` on the host',
  Channel: 'the Primary itself',
};

function refused(code: RefusalCode, message: string): SubmissionResult {
  return { status: 'refused', code, message, diagnostics: [] };
}
