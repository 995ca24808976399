/** What an operator has accepted without writing a document: nothing at all, or what was before. */
import type { PartitionName } from '../../model/names.ts';
import type {
  AcceptedBundle,
  Rollback,
  Submission,
  SubmissionSource,
} from '../../report/submission.ts';

export type RollbackBy = Rollback & Pick<Submission, 'source' | 'submitter'>;

/** Consent to delete was for that time: it does not come back with the documents. */
export function rollbackTo(
  bundle: AcceptedBundle,
  { ifGeneration, source, submitter }: RollbackBy,
): Submission {
  return {
    partition: bundle.partition,
    source,
    submitter,
    documents: bundle.documents,
    generation: null,
    ifGeneration,
    deleteEverything: false,
    deletionsMax: null,
  };
}

/** For a partition that is drained: nothing is to be there. */
export function emptied(
  partition: PartitionName,
  source: SubmissionSource,
  submitter: string,
): Submission {
  return {
    partition,
    source,
    submitter,
    documents: [],
    generation: null,
    ifGeneration: null,
    // While it is drained everything may go anyway; consent does not outlive that.
    deleteEverything: false,
    deletionsMax: null,
  };
}
