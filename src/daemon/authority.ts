/**
 * What one partition is to be: the operator's description, the bundle that was accepted last, and
 * what operators have asked for beside it. Submissions end here, in force or refused; the loop
 * reads from here at the beginning of every pass.
 */
import type { Block } from '../diff/change.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import { desiredFrom } from '../documents/desired-state.ts';
import { partitionSchema } from '../documents/partition-schema.ts';
import type { ImageName, PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Image } from '../model/volume.ts';
import type { Emit, WakeReason } from '../report/event.ts';
import { instantOf } from '../report/instant.ts';
import type {
  AcceptedBundle,
  HistoryEntry,
  SubmissionResult,
  SubmissionSource,
} from '../report/submission.ts';
import type { AcceptedStore } from './accepted/accepted-store.ts';
import type { Drain } from './accepted/wish-schema.ts';
import type { WishAnswer, Wishes } from './accepted/wishes.ts';
import { AskedFor } from './asked-for.ts';
import { authorityStatements } from './authority-statements.ts';
import { DroppedWords } from './dropped-words.ts';
import { isAbout, withWritten } from './handed-over.ts';
import { holdOverMs, holdsFrom } from './holds.ts';
import { InFlight } from './in-flight.ts';
import type { DocumentParser } from './parser.ts';
import { Judgement } from './judgement.ts';
import { forbids } from './power-rules.ts';
import type { GivenFiles, Orders } from './receive.ts';
import { closedRefusal, closing, drainingRefusal, type Refusal } from './refusals.ts';
import type { Clock } from './runtime.ts';
import { Submissions } from './submissions.ts';
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
  /** Why its host has no room for it; null: it has. */
  readonly unfit: () => Block | null;
  /** Those of the host, as others leave them. */
  readonly commonCpus: () => DesiredState['commonCpus'];
  /** The host is to be looked at anew, for whoever asks. */
  readonly onAskedAgain: () => void;
  /** Something is to be done anew; null: only said anew. */
  readonly onChange: (because: WakeReason | null) => void;
}

export class Authority {
  readonly #options: AuthorityOptions;
  readonly #judgement = new Judgement();
  readonly #asked: AskedFor;
  readonly #dropped: DroppedWords;
  readonly #submissions: Submissions;
  readonly #inFlight = new InFlight();
  #description: PlainDocument;
  /** Consent to delete is for that time: once all that it was given for is so, it is used up. */
  #syncedGeneration = 0;
  /** One that is only half written down empties nothing yet. */
  #isDrainPending = false;
  #isClosed = false;
  #agent: string | null = null;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#description = options.description;
    this.#asked = new AskedFor(options.wishes);
    const { partition, wishes, emit } = options;
    this.#dropped = new DroppedWords({
      wishes,
      onDropped: (image, block) => emit({ kind: 'hand-over-dropped', partition, image, ...block }),
    });
    this.#submissions = new Submissions({
      ...options,
      orders: () => this.#orders(),
      onAccepted: () => {
        options.onChange('documents');
        this.#dropForbidden();
      },
      onAskedAgain: options.onAskedAgain,
      onSaid: () => options.onChange(null),
    });
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
    const drain = this.#drain;
    const judged = this.#judgement.of(this.#description, inForce);
    return {
      generation: inForce?.generation ?? 0,
      digest: inForce?.digest ?? '',
      desired: this.#onHost(drain === null ? judged.desired : this.#nothing()),
      ...this.#consent(inForce, torn.length > 0),
      drain,
      statements: authorityStatements({
        inForce,
        torn,
        problems: judged.problems,
        documents: this.#submissions.said,
        agent: this.source === 'Channel' ? this.#agent : undefined,
      }),
      ...this.#held(),
      requests: this.#asked.requests(),
      holdOverMs: holdOverMs(wishes.holds, clock.wall()),
    };
  }

  /** What no document says, as it is for the other partitions to say. */
  #onHost(desired: DesiredState | null): DesiredState | null {
    if (desired === null) return null;
    const images = withWritten(desired.images, this.#dropped.counting);
    return { ...desired, images, commonCpus: this.#options.commonCpus() };
  }

  /** Emptying only gives back, so that who has no room may do it. */
  #held(): Pick<TurnInput, 'holdAll' | 'holds' | 'unfit'> {
    const { wishes, clock } = this.#options;
    const { holdAll, holds } = holdsFrom(wishes, instantOf(clock.wall()));
    const unfit = this.#drain === null ? this.#options.unfit() : null;
    return { holdAll: holdAll ?? unfit, holds, unfit };
  }

  #consent(
    inForce: AcceptedBundle | null,
    isTorn: boolean,
  ): Pick<TurnInput, 'deleteEverything' | 'deletionsMax'> {
    const { deletionsMax } = this.#options;
    if (this.#drain !== null) return { deleteEverything: true, deletionsMax: null };
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

  /** @returns whether it is another than before */
  describe(description: PlainDocument): boolean {
    if (JSON.stringify(description.value) === JSON.stringify(this.#description.value)) return false;
    const before = this.source;
    this.#description = description;
    // What the folder holds is no longer of interest.
    if (this.source !== before) this.#submissions.forget();
    this.#options.onChange('partition');
    return true;
  }

  /** Files that nobody has looked into yet. @param signal what comes of them does not count any more */
  submit(given: GivenFiles, signal: AbortSignal): Promise<SubmissionResult> {
    return this.#inFlight.while(() => this.#submissions.submit(given, signal));
  }

  /** As `input`, if these files were accepted. Nothing comes of it. */
  async draft(
    given: Pick<GivenFiles, 'files' | 'deleteEverything' | 'deletionsMax'>,
    signal: AbortSignal,
  ): Promise<{ readonly status: 'drafted'; readonly input: TurnInput } | Refusal> {
    const draft = await this.#submissions.draft(given.files, signal);
    if (draft.status === 'refused') return draft;
    const { deleteEverything } = given;
    const deletionsMax = given.deletionsMax ?? this.#options.deletionsMax;
    const desired = this.#onHost(draft.desired);
    return {
      status: 'drafted',
      input: { ...this.input(), desired, deleteEverything, deletionsMax },
    };
  }

  /** Null: one is there already. @returns how to take it away again */
  attachAgent(who: string): (() => void) | null {
    if (this.#agent !== null) return null;
    this.#agent = who;
    this.#options.onChange(null);
    return () => {
      this.#agent = null;
      if (!this.#isClosed) this.#options.onChange(null);
    };
  }

  /** Whose agent keeps it up to date; null: nobody's. */
  get agent(): string | null {
    return this.#agent;
  }

  rollback(generation: number, submitter: string): Promise<SubmissionResult> {
    return this.#inFlight.while(() => this.#submissions.rollback(generation, submitter));
  }

  /** The folder that rules could not be read. */
  documentsUnread(code: string, message: string): void {
    this.#submissions.say({ status: 'unread', code, message });
  }

  #orders(): Orders {
    const { wishes } = this.#options;
    return {
      description: this.#description,
      rules: this.source,
      refusal: this.#isClosed ? closedRefusal : wishes.drain === null ? null : drainingRefusal,
    };
  }

  drain(submitter: string): Promise<WishAnswer> {
    return this.wish(async (wishes) => {
      this.#isDrainPending = true;
      const answer = await this.#writeDrain(wishes, submitter);
      this.#isDrainPending = false;
      return answer;
    });
  }

  async #writeDrain(wishes: Wishes, submitter: string): Promise<WishAnswer> {
    const at = instantOf(this.#options.clock.wall());
    const answer = await wishes.setDrain({ submitter, at });
    if (answer.status === 'refused') return answer;
    const result = await this.#submissions.empty(submitter);
    if (result.status !== 'refused') return answer;
    // Or what was there before would be made anew when the emptying ends.
    const withdrawn = await wishes.setDrain(null);
    // What cannot be taken back would be carried out at the next start, so it is now.
    if (withdrawn.status === 'refused') return answer;
    return { status: 'refused', code: 'NotStored', message: result.message };
  }

  get #drain(): Drain | null {
    return this.#isDrainPending ? null : this.#options.wishes.drain;
  }

  /** Anything else that is wished for. */
  wish(change: (wishes: Wishes) => Promise<WishAnswer>): Promise<WishAnswer> {
    return this.#inFlight.while(async () => {
      if (this.#isClosed) return { status: 'refused', code: 'NotStored', message: closing };
      const answer = await change(this.#options.wishes);
      if (answer.status === 'ok') {
        this.#options.onChange('request');
        // Other documents may have come since it was judged by those before.
        this.#dropForbidden();
      }
      return answer;
    });
  }

  /** Whether the word of its Primary that its disk is written stands. */
  isHandedOver(image: Image): boolean {
    return this.#dropped.counting.some((said) => said.image === image.name && isAbout(said, image));
  }

  /** What became of them is known, so that what was said of their disks has served its purpose. */
  forgetWritten(images: readonly ImageName[]): void {
    for (const said of this.#options.wishes.written.filter(({ image }) => images.includes(image))) {
      void this.#inFlight.while(async () => {
        const { status } = await this.#options.wishes.removeWritten(said);
        if (status === 'ok' && !this.#isClosed) this.#options.onChange('request');
      });
    }
  }

  /**
   * What keeps them stays for longer than a word of their Primary's is good for: it is asked to say so again.
   * @returns whether a word counted that does not any more, so that there is something else to be said
   */
  dropWritten(blocks: ReadonlyMap<ImageName, Block>): boolean {
    const counted = this.#dropped.drop(blocks);
    void this.#inFlight.while(() => this.#dropped.remove());
    return counted;
  }

  /** What was asked for and is done. */
  fulfil(requests: readonly Request[]): Promise<void> {
    return this.#asked.fulfil(requests);
  }

  /** Takes nothing more; resolves when all that was taken is written down. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#inFlight.ended();
  }

  /** A wish that the documents forbid by now does not wait for other documents. */
  #dropForbidden(): void {
    const { desired } = this.input();
    if (desired === null) return;
    const isForbidden = ({ secondary, action }: Request) => {
      const wanted = desired.secondaries.get(secondary);
      return wanted === undefined || forbids(wanted, action) !== null;
    };
    // It writes, so that the lock waits for it too.
    void this.#inFlight.while(() => this.#asked.drop(isForbidden));
    // A word is for the disk that it was said of: whoever asks for another is asked to write again.
    this.forgetWritten(
      this.#options.wishes.written
        .filter((said) => !isAbout(said, desired.images.get(said.image)))
        .map(({ image }) => image),
    );
  }

  #nothing(): DesiredState {
    const none = {
      secondaries: new Map(),
      volumes: new Map(),
      images: new Map(),
      imageHosts: [],
      seedContents: new Map(),
    };
    return {
      partition: this.#options.partition,
      ...none,
      network: null,
      share: null,
      primary: this.#unplugged(),
      commonCpus: 'unspoken',
    };
  }

  /** Its Primary is let go of with the network, if it was ever to be plugged into it. */
  #unplugged(): DesiredState['primary'] {
    const parsed = desiredFrom(this.#description, []);
    const primary = parsed.ok ? parsed.desired.primary : null;
    if (primary === null || primary === 'unspoken') return null;
    const hasOurs = primary.grants.some((grant) => grant === 'network' || grant === 'handOver');
    return hasOurs ? { ...primary, grants: [], imageDiskBytes: null } : null;
  }
}
