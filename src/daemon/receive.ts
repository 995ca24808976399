/**
 * From files to what is in force, or to why not: a worker reads them, the daemon checks what it was
 * handed, the store writes it down. Nothing before the last step changes anything.
 */
import { desiredFrom } from '../documents/desired-state.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { SubmissionResult, SubmissionSource } from '../report/submission.ts';
import type { AcceptedStore } from './accepted/accepted-store.ts';
import { documentsDigest } from './accepted/documents-digest.ts';
import { nextDocuments } from './accepted/next-submission.ts';
import type { DocumentParser } from './parser.ts';
import { closedRefusal, invalidRefusal, type Refusal, refused } from './refusals.ts';
import { tameDiagnostic } from './worker/short-diagnostic.ts';

export interface GivenFiles {
  readonly source: SubmissionSource;
  readonly submitter: string;
  readonly files: readonly SourceFile[];
  readonly generation: number | null;
  readonly ifGeneration: number | null;
  readonly deleteEverything: boolean;
  readonly deletionsMax: number | null;
  /** Whether it is what a folder holds, which is handed in again and again. */
  readonly isFolder: boolean;
  /** False: somebody may still be writing, so that what is missing is kept (invariant 6). */
  readonly isComplete: boolean;
}

/** What holds at a moment; another may while a worker reads. */
export interface Orders {
  readonly description: PlainDocument;
  /** Who may say what the partition is to be. */
  readonly rules: SubmissionSource;
  /** Why nothing is taken from anybody; null: something may be. */
  readonly refusal: Refusal | null;
}

export interface ReceiveContext {
  readonly partition: PartitionName;
  readonly orders: () => Orders;
  readonly parser: DocumentParser;
  readonly accepted: AcceptedStore;
  /** Which generation in force the folder has held too since then; 0: none. */
  readonly folderAgreedOn: number;
  /** ISO 8601, UTC. */
  readonly now: () => string;
  readonly onWorkerFailure: (code: string, message: string) => void;
  readonly signal: AbortSignal;
}

export async function receive(
  given: GivenFiles,
  context: ReceiveContext,
): Promise<SubmissionResult> {
  const { accepted, signal } = context;
  const before = context.orders();
  const early = refusalBy(before, given, signal);
  if (early !== null) return early;
  const generation = accepted.inForce?.generation ?? 0;
  const documents = await documentsIn(given.files, before.description, context);
  // It has taken its time, and somebody may have said something else in the meantime.
  const late = refusalBy(context.orders(), given, signal);
  if (late !== null) return late;
  return 'status' in documents ? documents : take(given, documents, generation, context);
}

type ReadContext = Pick<ReceiveContext, 'partition' | 'parser' | 'onWorkerFailure' | 'signal'>;

/** As a worker reads them, or why they are none. */
export async function documentsIn(
  files: readonly SourceFile[],
  description: PlainDocument,
  { partition, parser, onWorkerFailure, signal }: ReadContext,
): Promise<readonly PlainDocument[] | Refusal> {
  const answer = await parser.parse(partition, files, signal, description);
  switch (answer.status) {
    case 'failed':
      onWorkerFailure(answer.code, answer.message);
      return refused('NotRead', `${answer.code}: ${answer.message}`);
    case 'invalid':
      return invalidRefusal(answer.diagnostics);
    case 'parsed':
      return answer.documents;
  }
}

function refusalBy({ refusal, rules }: Orders, { source }: GivenFiles, signal: AbortSignal) {
  if (signal.aborted) return closedRefusal;
  if (refusal !== null) return refusal;
  return source === rules ? null : refused('NotTheSource', notTheSource(source, rules));
}

/** @param generation that was in force when the files were read */
function take(
  given: GivenFiles,
  parsed: readonly PlainDocument[],
  generation: number,
  { partition, orders, accepted, folderAgreedOn, now }: ReceiveContext,
): Promise<SubmissionResult> | SubmissionResult {
  const { files: _, isFolder, isComplete, ...submission } = given;
  const { inForce } = accepted;
  const documents = isComplete ? parsed : nextDocuments(inForce?.documents ?? [], parsed).documents;
  // Never on the worker's word alone.
  const judged = desiredFrom(orders().description, documents);
  if (!judged.ok) return invalidRefusal(judged.diagnostics.map(tameDiagnostic));
  const brought = broughtBack(given, documents, accepted, folderAgreedOn);
  if (brought !== null) return brought;
  // What a folder held does not come over what somebody has said since it was read.
  const ifGeneration = isFolder ? generation : given.ifGeneration;
  return accepted.accept({ ...submission, ifGeneration, partition, documents }, now());
}

/**
 * A folder that still holds what a rollback has put out of force changes nothing: whoever rolls back
 * means it to last until the folder is mended.
 */
function broughtBack(
  { isFolder }: GivenFiles,
  documents: readonly PlainDocument[],
  { inForce, history }: AcceptedStore,
  folderAgreedOn: number,
): SubmissionResult | null {
  if (!isFolder || inForce === null || inForce.rollbackOf === null) return null;
  // It was mended, so that what it holds now is another change.
  if (inForce.generation === folderAgreedOn) return null;
  const putOut = history.find(({ generation }) => generation < inForce.generation);
  if (putOut === undefined || putOut.digest !== documentsDigest(documents)) return null;
  const message = `the folder still holds generation ${putOut.generation}, which was rolled back; a change of it counts again`;
  return refused('RolledBack', message);
}

function notTheSource(source: SubmissionSource, rules: SubmissionSource): string {
  return `this came by ${words[source]}, and spec.source of the partition is ${rules}: ${words[rules]}`;
}

const words: { readonly [S in SubmissionSource]: string } = {
  Directory: "files in the partition's directory on the host",
  Apply: '`unnest apply` on the host',
  Channel: 'the Primary itself',
};
