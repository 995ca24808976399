/**
 * What is handed to the daemon to be made real, and what it has accepted. Per partition one bundle
 * is in force; it stays in force until another one is accepted, whatever else goes wrong.
 */
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { PartitionName } from '../model/names.ts';

export type { PlainDocument };

/** Who may say what a partition is to be: `Partition.spec.source`. */
export type SubmissionSource = 'Directory' | 'Apply' | 'Channel';

export interface Submission {
  readonly partition: PartitionName;
  readonly source: SubmissionSource;
  /** For people: `uid 0`, a directory. */
  readonly submitter: string;
  readonly documents: readonly PlainDocument[];
  /** The submitter's own count; null: the next one. */
  readonly generation: number | null;
  /** Only if this is the one in force by now; null: whichever is. */
  readonly ifGeneration: number | null;
  /** Whether it may delete every Secondary there is. */
  readonly deleteEverything: boolean;
  /** The most Secondaries, Volumes and Images that one pass may delete; null: the daemon's own bound. */
  readonly deletionsMax: number | null;
}

export interface AcceptedBundle {
  readonly partition: PartitionName;
  /** From 1, rising, never used twice. */
  readonly generation: number;
  /** `sha256:` over the documents, in an order of their own. */
  readonly digest: string;
  /** ISO 8601, UTC. */
  readonly acceptedAt: string;
  readonly source: SubmissionSource;
  readonly submitter: string;
  /** Which earlier one this brings back; null: none. */
  readonly rollbackOf: number | null;
  readonly deleteEverything: boolean;
  readonly deletionsMax: number | null;
  readonly documents: readonly PlainDocument[];
}

export type HistoryEntry = Omit<AcceptedBundle, 'documents'> & {
  readonly documentCount: number;
};

export type RefusalCode =
  | 'NotTheSource' // `Partition.spec.source` says that another one rules
  | 'NoPartition' // the operator has described no partition of this name
  | 'Invalid' // see the diagnostics
  | 'NotRead' // the worker that reads documents has failed; the same may do later
  | 'StaleGeneration' // older than the one in force
  | 'GenerationReused' // the same number with other content
  | 'NotInForce' // `ifGeneration` is not the one in force
  | 'NoSuchGeneration' // no longer, or never, in the history
  | 'RolledBack' // a folder still holds what was rolled back
  | 'NotStored' // it could not be written down durably, so it does not count
  | 'Draining' // the partition is being emptied
  | 'TooBusy'; // more wait already than may

export type SubmissionResult =
  | { readonly status: 'accepted'; readonly bundle: HistoryEntry }
  /** It is what is in force already. */
  | { readonly status: 'unchanged'; readonly bundle: HistoryEntry }
  | {
      readonly status: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly diagnostics: readonly Diagnostic[];
    };
