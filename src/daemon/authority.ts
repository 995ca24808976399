/**
 * What one partition is to be: the operator's description, the bundle that was accepted last, and
 * what operators have asked for beside it. Submissions end here, in force or refused; the loop
 * reads from here at the beginning of every pass.
 */
import { desiredFrom } from '../documents/desired-state.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import { partitionSchema } from '../documents/partition-schema.ts';
import type { PartitionName } from '../model/names.ts';
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
import { AskedFor } from './asked-for.ts';
import { authorityStatements, type DocumentsSaid } from './authority-statements.ts';
import { holdOverMs, holdsFrom } from './holds.ts';
import type { DocumentParser } from './parser.ts';
import { Judgement } from './judgement.ts';
import { forbids } from './power-rules.ts';
import { type GivenFiles, receive, type ReceiveContext } from './receive.ts';
import { closedRefusal, closing, drainingRefusal, invalidRefusal } from './refusals.ts';
import type { Clock } from './runtime.ts';
import type { Request, TurnInput } from './turn-input.ts';

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
  readonly #judgement = new Judgement();
  readonly #asked: AskedFor;
  readonly #inFlight = new Set<Promise<unknown>>();
  #description: PlainDocument;
  #documents: DocumentsSaid = { status: 'unsaid' };
  /** Consent to delete is for that time: once all that it was given for is so, it is used up. */
  #syncedGeneration = 0;
  #isClosed = false;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#description = options.description;
    this.#asked = new AskedFor(options.wishes);
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
    const { accepted, wishes, clock } = this.#options;
    const { inForce, torn } = accepted;
    const { drain } = wishes;
    const judged = this.#judgement.of(this.#description, inForce);
    return {
      generation: inForce?.generation ?? 0,
      digest: inForce?.digest ?? '',
      desired: drain === null ? judged.desired : this.#nothing(),
      ...this.#consent(inForce, torn.length > 0),
      drain,
      statements: authorityStatements({
        inForce,
        torn,
        problems: judged.problems,
        documents: this.#documents,
      }),
      ...holdsFrom(wishes, instantOf(clock.wall())),
      requests: this.#asked.requests(),
      holdOverMs: holdOverMs(wishes.holds, clock.wall()),
    };
  }

  #consent(
    inForce: AcceptedBundle | null,
    isTorn: boolean,
  ): Pick<TurnInput, 'deleteEverything' | 'deletionsMax'> {
    const { wishes, deletionsMax } = this.#options;
    if (wishes.drain !== null) return { deleteEverything: true, deletionsMax: null };
    // What a torn bundle has brought may not be in the one that is in force.
    if (isTorn) return { deleteEverything: false, deletionsMax: 0 };
    const isUsedUp = inForce === null || inForce.generation <= this.#syncedGeneration;
    if (isUsedUp) return { deleteEverything: false, deletionsMax };
    return {
      deleteEverything: inForce.deleteEverything,
      deletionsMax: inForce.deletionsMax ?? deletionsMax,
    };
  }

  /** The host has all that the documents of this generation ask for. */
  synced(generation: number): void {
    this.#syncedGeneration = Math.max(this.#syncedGeneration, generation);
  }

  describe(description: PlainDocument): void {
    if (JSON.stringify(description.value) === JSON.stringify(this.#description.value)) return;
    const before = this.source;
    this.#description = description;
    // What the folder holds is no longer of interest.
    if (this.source !== before) this.#documents = { status: 'unsaid' };
    this.#options.onChange('partition');
  }

  /** Files that nobody has looked into yet. @param signal what comes of them does not count any more */
  submit(given: GivenFiles, signal: AbortSignal): Promise<SubmissionResult> {
    return this.#while(async () => {
      const result = await receive(given, this.#receiving(signal));
      // Somebody may still be writing: what is wrong with it is said if it stays so.
      if (given.isComplete || result.status === 'accepted') this.#tell(result, given);
      return result;
    });
  }

  #receiving(signal: AbortSignal): ReceiveContext {
    const { partition, parser, accepted, wishes, clock, emit } = this.#options;
    return {
      partition,
      orders: () => ({
        description: this.#description,
        rules: this.source,
        refusal: this.#isClosed ? closedRefusal : wishes.drain === null ? null : drainingRefusal,
      }),
      parser,
      accepted,
      now: () => instantOf(clock.wall()),
      onWorkerFailure: (code, message) => emit({ kind: 'worker-failed', partition, code, message }),
      signal,
    };
  }

  rollback(generation: number, submitter: string): Promise<SubmissionResult> {
    return this.#while(async () => {
      const { accepted, wishes, clock } = this.#options;
      const by = { source: this.source, submitter };
      const read = await accepted.bundle(generation);
      if (read.status === 'whole') {
        const judged = desiredFrom(this.#description, read.bundle.documents);
        if (!judged.ok) return invalidRefusal(judged.diagnostics);
      }
      if (this.#isClosed) return closedRefusal;
      if (wishes.drain !== null) return drainingRefusal;
      const result = await accepted.rollback({ generation, ...by }, instantOf(clock.wall()));
      this.#tell(result, by);
      return result;
    });
  }

  /** The folder that rules could not be read. */
  documentsUnread(code: string, message: string): void {
    this.#say({ status: 'unread', code, message });
  }

  drain(submitter: string): Promise<WishAnswer> {
    return this.#while(async () => {
      const { accepted, partition, wishes, clock } = this.#options;
      const at = instantOf(clock.wall());
      const answer = await this.wish((all) => all.setDrain({ submitter, at }));
      if (answer.status === 'refused') return answer;
      const result = await accepted.accept(emptied(partition, this.source, submitter), at);
      this.#tell(result, { source: this.source, submitter });
      if (result.status !== 'refused') return answer;
      // Or what was there before would be made anew when the emptying ends.
      await wishes.setDrain(null);
      return { status: 'refused', code: 'NotStored', message: result.message };
    });
  }

  /** Any other wish. */
  wish(change: (wishes: Wishes) => Promise<WishAnswer>): Promise<WishAnswer> {
    return this.#while(async () => {
      if (this.#isClosed) return { status: 'refused', code: 'NotStored', message: closing };
      const answer = await change(this.#options.wishes);
      if (answer.status === 'ok') this.#options.onChange('request');
      return answer;
    });
  }

  /** What was asked for and is done. */
  fulfil(requests: readonly Request[]): Promise<void> {
    return this.#asked.fulfil(requests);
  }

  /** Takes nothing more; resolves when all that was taken is written down. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#inFlight);
  }

  async #while<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#inFlight.add(working);
    try {
      return await working;
    } finally {
      this.#inFlight.delete(working);
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
        onChange('documents');
        return this.#dropForbidden();
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

  /** A wish that the documents forbid by now does not wait for other documents. */
  #dropForbidden(): void {
    const { desired } = this.input();
    if (desired === null) return;
    void this.#asked.drop(({ secondary, action }) => {
      const wanted = desired.secondaries.get(secondary);
      return wanted === undefined || forbids(wanted, action) !== null;
    });
  }

  #nothing(): DesiredState {
    const none = { secondaries: new Map(), volumes: new Map(), images: new Map(), network: null };
    return { partition: this.#options.partition, ...none };
  }
}
