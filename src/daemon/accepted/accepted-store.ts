/**
 * What a partition is to be, by what was accepted last. A bundle is in force once it is on the disk
 * and not before; whatever else goes wrong, the one before stays in force (invariant 6), and what
 * could not be read back is never taken for nothing (invariant 3).
 */
import { join } from 'node:path';
import type { PartitionName } from '../../model/names.ts';
import type {
  AcceptedBundle,
  HistoryEntry,
  RefusalCode,
  Submission,
  SubmissionResult,
} from '../../report/submission.ts';
import type { Files } from '../runtime.ts';
import {
  type AcceptedFolder,
  type Kept,
  readFolder,
  readGeneration,
  tidy,
  type TornBundle,
  within,
  writeGeneration,
} from './accepted-folder.ts';
import { type BundleRead, bundleFileBytesMax } from './bundle-file.ts';
import { bundleHead, historyEntry, plainDocuments } from './bundle-schema.ts';
import { documentsDigest } from './documents-digest.ts';
import { inTurn } from './in-turn.ts';
import { nextGeneration } from './next-generation.ts';
import { type RollbackBy, rollbackTo } from './operator-submissions.ts';
import { seal } from './sealed-file.ts';
import { firstIssue } from './stored-parts.ts';

interface Standing {
  readonly inForce: AcceptedBundle | null;
  readonly kept: readonly Kept[];
  readonly torn: readonly TornBundle[];
}

export type OpenedAccepted =
  | { readonly status: 'open'; readonly store: AcceptedStore }
  /** Nothing may be planned, and nothing accepted, until it opens. */
  | { readonly status: 'failed'; readonly message: string };

/** @param stateFolder of the daemon; below it each partition has one of its own */
export async function openAccepted(
  files: Files,
  stateFolder: string,
  partition: PartitionName,
): Promise<OpenedAccepted> {
  const path = join(stateFolder, partition, 'accepted');
  const folder = { files, path, partition };
  const read = await readFolder(folder);
  switch (read.status) {
    case 'read':
      return { status: 'open', store: new AcceptedStore(folder, read) };
    case 'failed':
      return read;
  }
}

export class AcceptedStore {
  readonly #folder: AcceptedFolder;
  readonly #inTurn = inTurn();
  #standing: Standing;

  constructor(folder: AcceptedFolder, standing: Standing) {
    this.#folder = folder;
    this.#standing = standing;
  }

  /** Null: none was ever accepted, or none could be read back. Either way nothing may be planned. */
  get inForce(): AcceptedBundle | null {
    return this.#standing.inForce;
  }

  /**
   * Those newer than the one in force that could not be read back, newest first; the next one that
   * is accepted ends that. Until then, what the one in force does not name may be what a torn one
   * has brought, so that a plan must not delete it.
   */
  get torn(): readonly TornBundle[] {
    return this.#standing.torn;
  }

  /** Newest first. */
  get history(): readonly HistoryEntry[] {
    return this.#standing.kept.map(({ entry }) => entry);
  }

  /** One of the history, from the disk. */
  bundle(generation: number): Promise<BundleRead> {
    return readGeneration(this.#folder, generation);
  }

  /** @param at ISO 8601, UTC */
  accept(submission: Submission, at: string): Promise<SubmissionResult> {
    return this.#inTurn(() => this.#accept(submission, at, null));
  }

  /** Accepts the documents of an earlier generation anew. @param at ISO 8601, UTC */
  rollback(rollback: RollbackBy, at: string): Promise<SubmissionResult> {
    return this.#inTurn(async () => {
      const { generation } = rollback;
      if (!this.history.some((entry) => entry.generation === generation)) {
        return refused('NoSuchGeneration', `generation ${generation} is not in the history`);
      }
      const read = await this.bundle(generation);
      switch (read.status) {
        case 'whole':
          return this.#accept(rollbackTo(read.bundle, rollback), at, generation);
        case 'missing':
          return refused('NoSuchGeneration', `generation ${generation} is gone`);
        case 'torn':
        case 'failed':
          return refused('NoSuchGeneration', read.message);
      }
    });
  }

  async #accept(
    submission: Submission,
    acceptedAt: string,
    rollbackOf: number | null,
  ): Promise<SubmissionResult> {
    const { ifGeneration: _, ...wanted } = submission;
    const { partition } = this.#folder;
    if (wanted.partition !== partition) {
      return refused('NoPartition', `this is partition ${partition}, not ${wanted.partition}`);
    }
    const documents = plainDocuments.safeParse(wanted.documents);
    if (!documents.success) return refused('Invalid', `documents.${firstIssue(documents.error)}`);
    const digest = documentsDigest(documents.data);
    const { inForce, torn } = this.#standing;
    const numbering = { inForce, tornHighest: torn[0]?.generation ?? 0 };
    const next = nextGeneration(numbering, submission, digest);
    switch (next.kind) {
      case 'refused':
        return refused(next.code, next.message);
      case 'unchanged':
        return { status: 'unchanged', bundle: historyEntry(next.inForce) };
      case 'next': {
        const { generation } = next;
        return this.#write({ ...wanted, generation, digest, acceptedAt, rollbackOf });
      }
    }
  }

  async #write({ documents, ...head }: AcceptedBundle): Promise<SubmissionResult> {
    const checked = bundleHead.safeParse(head);
    if (!checked.success) return refused('Invalid', firstIssue(checked.error));
    const bundle = { ...checked.data, documents };
    const text = seal('accepted', bundle);
    const bytes = Buffer.byteLength(text);
    if (bytes > bundleFileBytesMax) {
      return refused('Invalid', `the documents take more than ${bundleFileBytesMax} bytes as JSON`);
    }
    const written = await writeGeneration(this.#folder, bundle.generation, text);
    if (written.status === 'failed') return refused('NotStored', written.message);
    const entry = historyEntry(bundle);
    await this.#putInForce(bundle, [{ entry, bytes }, ...this.#standing.kept]);
    return { status: 'accepted', bundle: entry };
  }

  async #putInForce(inForce: AcceptedBundle, all: readonly Kept[]): Promise<void> {
    const kept = within(all);
    this.#standing = { inForce, kept, torn: [] };
    // Only to make room: what merely could not be read may be readable another time.
    const dropped = kept.length < all.length;
    await tidy(this.#folder, dropped ? (kept.at(-1)?.entry.generation ?? null) : null);
  }
}

function refused(code: RefusalCode, message: string): SubmissionResult {
  return { status: 'refused', code, message, diagnostics: [] };
}
