/**
 * How other documents come into force: files that are handed in, an earlier bundle that is brought
 * back, nothing at all where a partition is emptied. What became of the last is remembered, for the
 * status to say, and told to whoever has to know.
 */
import { desiredFrom } from '../documents/desired-state.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { Emit } from '../report/event.ts';
import { instantOf } from '../report/instant.ts';
import type { SubmissionResult } from '../report/submission.ts';
import type { AcceptedStore } from './accepted/accepted-store.ts';
import { emptied } from './accepted/operator-submissions.ts';
import type { DocumentsSaid } from './authority-statements.ts';
import { type Draft, draftOf } from './draft.ts';
import type { DocumentParser } from './parser.ts';
import { type GivenFiles, type Orders, receive } from './receive.ts';
import { invalidRefusal } from './refusals.ts';
import type { Clock } from './runtime.ts';

export interface SubmissionsOptions {
  readonly partition: PartitionName;
  readonly accepted: AcceptedStore;
  readonly parser: DocumentParser;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What holds now. */
  readonly orders: () => Orders;
  /** Another bundle is in force. */
  readonly onAccepted: () => void;
  /** What is in force already was handed in anew: whoever did waits for what is so now. */
  readonly onAskedAgain: () => void;
  /** Only what is said is another. */
  readonly onSaid: () => void;
}

type By = Pick<GivenFiles, 'source' | 'submitter'> & Partial<Pick<GivenFiles, 'isFolder'>>;

export class Submissions {
  readonly #options: SubmissionsOptions;
  #said: DocumentsSaid = { status: 'unsaid' };
  #folderAgreedOn = 0;

  constructor(options: SubmissionsOptions) {
    this.#options = options;
  }

  /** What became of the files that were looked at last. */
  get said(): DocumentsSaid {
    return this.#said;
  }

  /** Whose files they were does not rule any more. */
  forget(): void {
    this.#said = { status: 'unsaid' };
  }

  async submit(given: GivenFiles, signal: AbortSignal): Promise<SubmissionResult> {
    const { partition, parser, accepted, orders } = this.#options;
    const result = await receive(given, {
      partition,
      orders,
      parser,
      accepted,
      folderAgreedOn: this.#folderAgreedOn,
      now: () => this.#now(),
      onWorkerFailure: this.#onWorkerFailure,
      signal,
    });
    if (given.isFolder && given.isComplete && result.status !== 'refused') {
      this.#folderAgreedOn = result.bundle.generation;
    }
    // Somebody may still be writing: what is wrong with it is said if it stays so.
    if (given.isComplete || result.status === 'accepted') this.#tell(result, given);
    return result;
  }

  /** What the partition would be with them; refused where a submission would be. Nothing comes of it. */
  async draft(files: readonly SourceFile[], signal: AbortSignal): Promise<Draft> {
    const { partition, parser, orders } = this.#options;
    const { description, refusal } = orders();
    if (refusal !== null) return refusal;
    const onWorkerFailure = this.#onWorkerFailure;
    const draft = await draftOf(files, { partition, description, parser, onWorkerFailure, signal });
    return orders().refusal ?? draft;
  }

  readonly #onWorkerFailure = (code: string, message: string): void => {
    const { emit, partition } = this.#options;
    emit({ kind: 'worker-failed', partition, code, message });
  };

  async rollback(generation: number, submitter: string): Promise<SubmissionResult> {
    const { accepted, orders } = this.#options;
    const by = { source: orders().rules, submitter };
    const read = await accepted.bundle(generation);
    if (read.status === 'whole') {
      const judged = desiredFrom(orders().description, read.bundle.documents);
      if (!judged.ok) return invalidRefusal(judged.diagnostics);
    }
    const { refusal } = orders();
    if (refusal !== null) return refusal;
    const result = await accepted.rollback({ generation, ...by }, this.#now());
    this.#tell(result, by);
    return result;
  }

  async empty(submitter: string): Promise<SubmissionResult> {
    const { accepted, partition, orders } = this.#options;
    const by = { source: orders().rules, submitter };
    const result = await accepted.accept(emptied(partition, by.source, submitter), this.#now());
    this.#tell(result, by);
    return result;
  }

  say(documents: DocumentsSaid): void {
    if (JSON.stringify(documents) === JSON.stringify(this.#said)) return;
    this.#said = documents;
    this.#options.onSaid();
  }

  #tell(result: SubmissionResult, { source, submitter, isFolder = false }: By): void {
    const { partition, emit, onAccepted, onAskedAgain } = this.#options;
    switch (result.status) {
      case 'unchanged':
        this.say({ status: 'ok' });
        if (!isFolder) onAskedAgain();
        return;
      case 'refused': {
        const { code, message, diagnostics } = result;
        if (!this.#isNews(code, message)) return;
        emit({ kind: 'submission-refused', partition, source, submitter, code, message });
        // Whoever has submitted by hand has been answered, and a folder has nobody else to tell. That no
        // worker could read them is the host's fault, and stays so.
        if (isFolder || code === 'NotRead')
          this.say({ status: 'refused', code, message, diagnostics });
        return;
      }
      case 'accepted': {
        const { generation, documentCount: documents } = result.bundle;
        emit({ kind: 'submission-accepted', partition, generation, source, submitter, documents });
        this.#said = { status: 'ok' };
        return onAccepted();
      }
    }
  }

  #isNews(code: string, message: string): boolean {
    const said = this.#said;
    return said.status !== 'refused' || said.code !== code || said.message !== message;
  }

  #now(): string {
    return instantOf(this.#options.clock.wall());
  }
}
