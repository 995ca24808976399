/** Documents that are only looked at: what a partition would be with them. Nothing is written down. */
import type { PlainDocument } from '../documents/plain-document.ts';
import { desiredFrom } from '../documents/desired-state.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { DocumentParser } from './parser.ts';
import { documentsIn } from './receive.ts';
import { invalidRefusal, type Refusal } from './refusals.ts';
import { tameDiagnostic } from './worker/short-diagnostic.ts';

export type Draft = { readonly status: 'drafted'; readonly desired: DesiredState } | Refusal;

export interface DraftContext {
  readonly partition: PartitionName;
  readonly description: PlainDocument;
  readonly parser: DocumentParser;
  readonly onWorkerFailure: (code: string, message: string) => void;
  readonly signal: AbortSignal;
}

export async function draftOf(files: readonly SourceFile[], context: DraftContext): Promise<Draft> {
  const documents = await documentsIn(files, context.description, context);
  if ('status' in documents) return documents;
  // Never on the worker's word alone.
  const judged = desiredFrom(context.description, documents);
  if (!judged.ok) return invalidRefusal(judged.diagnostics.map(tameDiagnostic));
  return { status: 'drafted', desired: judged.desired };
}
