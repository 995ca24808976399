/**
 * What one partition is to be: the operator's description, the bundle that was accepted last, and
 * what operators have asked for beside it. Submissions end here, in force or refused; the loop
 * reads from here at the beginning of every pass.
 */
import { desiredFrom, type Parsed } from '../documents/desired-state.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import { partitionSchema } from '../documents/partition-schema.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Emit, WakeReason } from '../report/event.ts';
import type {
  AcceptedBundle,
  HistoryEntry,
  SubmissionResult,
  SubmissionSource,
} from '../report/submission.ts';
import { instantOf } from '../report/instant.ts';
import type { AcceptedStore } from './accepted/accepted-store.ts';
import { emptied } from './accepted/operator-submissions.ts';
import type { WishAnswer, Wishes } from './accepted/wishes.ts';
import { authorityStatements, type DocumentsSaid } from './authority-statements.ts';
import { holdOverMs, holdsFrom } from './holds.ts';
import type { DocumentParser } from './parser.ts';
import { type GivenFiles, receive } from './receive.ts';
import type { Clock } from './runtime.ts';
import type { TurnInput } from './turn-input.ts';

export interface AuthorityOptions {
  readonly partition: PartitionName;
  /** The operator's description. */
  readonly description: PlainDocument;
  readonly accepted: AcceptedStore;
  readonly wishes: Wishes;
  readonly parser: DocumentParser;
  readonly clock: Clock;
  readonly deletionsMax: number;
  readonly emit: Emit;
  /** Something is to be done anew; null: only said anew. */
  readonly onChange: (because: WakeReason | null) => void;
}

export class Authority {
  readonly #options: AuthorityOptions;
  #description: PlainDocument;
  #parsed: Parsed | null = null;
  #documents: DocumentsSaid = { status: 'unsaid' };

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#description = options.description;
    this.#judge();
  }

  get source(): SubmissionSource {
    const parsed = partitionSchema.safeParse(this.#description.value);
    return parsed.success ? parsed.data.spec.source : 'Apply';
  }

  get accepted(): AcceptedBundle | null {
    return this.#options.accepted.inForce;
  }

  get history(): readonly HistoryEntry[] {
    return this.#options.accepted.history;
  }

  get wishes(): Wishes {
    return this.#options.wishes;
  }

  /** All that the next pass is about. */
  input(): TurnInput {
    const { accepted, wishes, deletionsMax, clock } = this.#options;
    const { inForce, torn } = accepted;
    const now = instantOf(clock.wall());
    const { holdAll, holds } = holdsFrom(wishes, now);
    const draining = wishes.drain !== null;
    return {
      generation: inForce?.generation ?? 0,
      digest: inForce?.digest ?? '',
      desired: draining ? this.#nothing() : this.#parsed?.ok === true ? this.#parsed.desired : null,
      deleteEverything: draining || (inForce?.deleteEverything ?? false),
      // What a torn bundle has brought may not be in the one that is in force.
      deletionsMax: draining ? null : torn.length > 0 ? 0 : (inForce?.deletionsMax ?? deletionsMax),
      drain: wishes.drain,
      statements: authorityStatements({
        inForce,
        torn,
        parsed: this.#parsed,
        documents: this.#documents,
      }),
      holdAll,
      holds,
      requests: new Map(wishes.requests.map((each) => [each.secondary, each])),
      holdOverMs: holdOverMs(wishes.holds, clock.wall()),
    };
  }

  describe(description: PlainDocument): void {
    if (JSON.stringify(description.value) === JSON.stringify(this.#description.value)) return;
    this.#description = description;
    this.#judge();
    this.#options.onChange('partition');
  }

  /** Files that nobody has looked into yet. */
  async submit(given: GivenFiles, signal: AbortSignal): Promise<SubmissionResult> {
    const { partition, parser, accepted, wishes, clock } = this.#options;
    const result = await receive(given, {
      partition,
      description: this.#description,
      rules: this.source,
      draining: wishes.drain !== null,
      parser,
      accepted,
      now: () => instantOf(clock.wall()),
      onWorkerFailure: (code, message) =>
        this.#options.emit({ kind: 'worker-failed', partition, code, message }),
      signal,
    });
    // Somebody may still be writing: what is wrong with it is said if it stays so.
    if (given.isComplete || result.status === 'accepted') this.#tell(result, given);
    return result;
  }

  async rollback(generation: number, submitter: string): Promise<SubmissionResult> {
    const { accepted, wishes, clock } = this.#options;
    const by = { source: this.source, submitter };
    if (wishes.drain !== null) return drainingRefusal;
    const result = await accepted.rollback({ generation, ...by }, instantOf(clock.wall()));
    this.#tell(result, by);
    return result;
  }

  /** The folder that rules could not be read. */
  documentsUnread(code: string, message: string): void {
    this.#say({ status: 'unread', code, message });
  }

  async drain(submitter: string): Promise<WishAnswer> {
    const { accepted, partition, wishes, clock } = this.#options;
    const at = instantOf(clock.wall());
    const answer = await wishes.setDrain({ submitter, at });
    if (answer.status === 'refused') return answer;
    const result = await accepted.accept(emptied(partition, this.source, submitter), at);
    this.#tell(result, { source: this.source, submitter });
    this.#options.onChange('request');
    return answer;
  }

  /** What was asked for and is done. */
  async fulfil(names: readonly SecondaryName[]): Promise<void> {
    const { wishes } = this.#options;
    for (const request of wishes.requests) {
      if (names.includes(request.secondary)) await wishes.removeRequest(request);
    }
  }

  #tell(result: SubmissionResult, by: Pick<GivenFiles, 'source' | 'submitter'>): void {
    const { partition, emit, onChange } = this.#options;
    const { source, submitter } = by;
    switch (result.status) {
      case 'unchanged':
        return this.#say({ status: 'ok' });
      case 'refused': {
        const { code, message, diagnostics } = result;
        if (!this.#isNews(code, message)) return;
        emit({ kind: 'submission-refused', partition, source, submitter, code, message });
        // Whoever has submitted by hand has been answered; a folder has nobody else to tell.
        if (source === 'Directory') this.#say({ status: 'refused', code, message, diagnostics });
        return;
      }
      case 'accepted': {
        const { generation, documentCount: documents } = result.bundle;
        emit({ kind: 'submission-accepted', partition, generation, source, submitter, documents });
        this.#documents = { status: 'ok' };
        this.#judge();
        return onChange('documents');
      }
    }
  }

  #isNews(code: string, message: string): boolean {
    const said = this.#documents;
    return said.status !== 'refused' || said.code !== code || said.message !== message;
  }

  #say(documents: DocumentsSaid): void {
    if (JSON.stringify(documents) === JSON.stringify(this.#documents)) return;
    this.#documents = documents;
    this.#options.onChange(null);
  }

  /** Again at every start: what was valid for an older version need not be for this one. */
  #judge(): void {
    const { inForce } = this.#options.accepted;
    this.#parsed = inForce === null ? null : desiredFrom(this.#description, inForce.documents);
  }

  #nothing(): DesiredState {
    const none = { secondaries: new Map(), volumes: new Map(), images: new Map(), network: null };
    return { partition: this.#options.partition, ...none };
  }
}

export const drainingRefusal: SubmissionResult = {
  status: 'refused',
  code: 'Draining',
  message: 'the partition is being emptied; `unnest resume` ends that',
  diagnostics: [],
};
