/** Documents are read by somebody who can do no harm: what the daemon knows of that somebody. */
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { PlainDocument } from '../report/submission.ts';

export type ParserFailureCode =
  | 'Unavailable' // it could not be started
  | 'Outside' // it was not seen in the slice of its partition, and so was ended
  | 'Hung' // no answer in the time there is
  | 'Died' // it ended, be it because it wanted more memory than there is
  | 'Oversized' // more of an answer than may be
  | 'Forged' // an answer that no honest worker gives
  | 'GivenUp'; // the signal has fired, or the parser was closed: nobody waits for it

export type ParsedDocuments =
  /** Checked by the worker only, so that they have to be checked again. */
  | { readonly status: 'parsed'; readonly documents: readonly PlainDocument[] }
  | { readonly status: 'invalid'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly status: 'failed'; readonly code: ParserFailureCode; readonly message: string };

export interface DocumentParser {
  /**
   * Never rejects. One at a time per partition; of more partitions than there may be workers, each
   * waits its turn.
   * @param partitionDocument the operator's, beside which the files are judged, so that what does
   * not fit it is said with line and column; null: they are judged by themselves
   */
  parse(
    partition: PartitionName,
    files: readonly SourceFile[],
    signal: AbortSignal,
    partitionDocument?: PlainDocument | null,
  ): Promise<ParsedDocuments>;
  /**
   * Ends the worker of a partition, and starts none before `act` has settled: for what a worker would
   * be in the way of. Documents that are being read meanwhile are read again afterwards.
   */
  without<T>(partition: PartitionName, act: () => Promise<T>): Promise<T>;
  /** Ends every worker. */
  close(): Promise<void>;
}
