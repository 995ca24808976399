/** Documents are read by somebody who can do no harm: what the daemon knows of that somebody. */
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { PlainDocument } from '../report/submission.ts';

export type ParserFailureCode =
  | 'Unavailable' // it could not be started
  | 'Hung' // no answer in the time there is
  | 'Died' // it ended, be it because it wanted more memory than there is
  | 'Oversized' // more of an answer than may be
  | 'Forged'; // an answer that no honest worker gives

export type ParsedDocuments =
  /** Checked by the worker only, so that they have to be checked again. */
  | { readonly status: 'parsed'; readonly documents: readonly PlainDocument[] }
  | { readonly status: 'invalid'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly status: 'failed'; readonly code: ParserFailureCode; readonly message: string };

export interface DocumentParser {
  /** Never rejects. One at a time per partition; partitions do not wait for each other. */
  parse(
    partition: PartitionName,
    files: readonly SourceFile[],
    signal: AbortSignal,
  ): Promise<ParsedDocuments>;
  /** Ends every worker. */
  close(): Promise<void>;
}
