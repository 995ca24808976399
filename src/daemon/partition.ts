/**
 * One partition as long as the daemon keeps it: its loop, what one pass does, and when the next is.
 */
import type { Block } from '../diff/change.ts';
import type { Outcome } from '../execute/outcome.ts';
import { explainError } from '../host/host-error.ts';
import type { Host } from '../host/ports.ts';
import type { DomainRef } from '../model/domain.ts';
import type { InstallationId, PartitionOwner } from '../model/identity.ts';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import type { SliceUsage } from '../model/slice.ts';
import { allocationOf } from '../partition/allocation.ts';
import type { Plan } from '../plan/plan.ts';
import type { Held } from '../partition/claim.ts';
import type { Emit, WakeReason } from '../report/event.ts';
import { instantOf } from '../report/instant.ts';
import type { Look } from '../report/partition-report.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { ConsoleLogs } from './console-logs.ts';
import { Consoles } from './consoles.ts';
import { heldUp, judgedImages, otherBytes, readyImages } from './handed-over.ts';
import { operationEvent, passFinished } from './happenings.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import { ImageFetches } from './image-fetches.ts';
import { Intakes } from './intakes.ts';
import { Loop, type Turned } from './loop.ts';
import { nextLook } from './next-look.ts';
import { onceMore } from './once-more.ts';
import { PartitionSaid } from './partition-said.ts';
import { passReport } from './pass-report.ts';
import { ReadinessWatch } from './readiness-watch.ts';
import { Remembered } from './remembered.ts';
import type { RetryRules } from './retry.ts';
import { readRunId } from './run-id.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';
import {
  carryOut,
  type Done,
  forgiving,
  look,
  observeFor,
  type Seen,
  type TurnTools,
} from './turn.ts';
import { UsageReader } from './usage-reader.ts';
import { withoutFetches } from './without-worker.ts';
import type { Request, TurnInput } from './turn-input.ts';

export interface PartitionOptions {
  readonly partition: PartitionName;
  readonly host: Host;
  readonly runtime: Pick<Runtime, 'clock' | 'files' | 'timers' | 'random' | 'sockets'>;
  /** Where what guests write to their consoles is kept; null: nowhere. */
  readonly consolesFolder: string | null;
  readonly newInstallation: () => InstallationId;
  readonly slots: Slots;
  readonly fetcher: ImageFetcher;
  /** How many partitions fetch at once. */
  readonly fetchSlots: Slots;
  readonly rules: RetryRules;
  readonly resyncMs: number;
  readonly operationsInFlightMax: number;
  /** Breaks off what is under way. */
  readonly abort: AbortSignal;
  /** Breaks off what only waits for a guest: the daemon is to end. */
  readonly hurry: AbortSignal;
  readonly input: () => TurnInput;
  /** These need not be asked for again. */
  readonly onFulfilled: (requests: readonly Request[]) => Promise<void>;
  /** Of these nothing is taken before somebody has done something about it. */
  readonly onHeldUp: (images: ReadonlyMap<ImageName, Block>) => void;
  /** What was handed in for these has been looked into. */
  readonly onJudged: (images: readonly ImageName[]) => void;
  /** The host has all that the documents of this generation ask for. */
  readonly onSynced: (generation: number) => void;
  /** The periodic look: whatever else there is to look at. */
  readonly onResync: () => void;
  readonly onStatus: (status: PartitionStatus) => void;
  readonly emit: Emit;
}

export class Partition {
  readonly #options: PartitionOptions;
  readonly #loop: Loop;
  readonly #remembered = new Remembered();
  readonly #said: PartitionSaid;
  readonly consoles: Consoles;
  readonly intakes: Intakes;
  readonly #fetches: ImageFetches;
  readonly readiness: ReadinessWatch;
  readonly usage: UsageReader;
  /** Null: none are kept. */
  readonly consoleLogs: ConsoleLogs | null;
  /** Of the pass that is under way. */
  #orders = new AbortController();
  #isAtWork = false;
  /** Whether something may have been done since the last look that it does not show. */
  #isLookOld = true;
  /** What the last pass was about; null: there was none. */
  #lastInput: TurnInput | null = null;

  constructor(options: PartitionOptions) {
    const { runtime, slots } = options;
    this.#options = options;
    this.intakes = new Intakes(options.host.intakes, options.abort);
    this.#fetches = this.#fetchesFor(options);
    this.consoles = new Consoles(options.host.domains, runtime);
    this.consoleLogs = logsOf(options, this.consoles);
    this.readiness = new ReadinessWatch(options);
    this.usage = new UsageReader({ ...options, clock: runtime.clock, status: () => this.status });
    this.#said = new PartitionSaid({
      ...options,
      clock: runtime.clock,
      failures: () => this.#remembered.failures,
    });
    this.#loop = new Loop({
      runtime,
      slots,
      turn: (because, stop, release) => this.#turn(because, stop, release),
      onBug: (message) => this.#onBug(message),
    });
  }

  get status(): PartitionStatus {
    return this.#said.status ?? this.#said.report(this.#options.input(), null);
  }

  wake(because: WakeReason): void {
    this.#loop.wake(because);
  }

  /** Whether something may be done just now, as of orders that held before. */
  get isAtWork(): boolean {
    return this.#isAtWork;
  }

  /** Other orders hold from now on: the pass under way begins nothing more, and waits for no guest. */
  interrupt(): void {
    this.#isLookOld = true;
    this.#orders.abort();
  }

  /** libvirt's name of its Primary, as it was described last; null: it has none. */
  get primaryDomain(): string | null {
    const primary = this.#lastInput?.desired?.primary ?? null;
    return primary === null || primary === 'unspoken' ? null : primary.domainName;
  }

  /** What its guests and its Primary have, as of a look that came after the last change of orders; null: not known. */
  get held(): Held | null {
    const { observed } = this.#said;
    const desired = this.#lastInput?.desired ?? null;
    if (observed === null || desired === null || this.#isLookOld) return null;
    const { amounts, unknown } = allocationOf(observed, desired.primary);
    return unknown.vcpus === null && unknown.memoryBytes === null ? amounts : null;
  }

  /** As of the last look; null: it has no slice, or nobody could look. */
  get sliceUsage(): SliceUsage | null {
    const slice = this.#said.observed?.slice;
    return slice?.status === 'present' ? slice.value.usage : null;
  }

  /** libvirt's id of the run that goes on now; null: none does. */
  async runIdOf(secondary: SecondaryName): Promise<number | null | 'unknown'> {
    const { partition, host, abort } = this.#options;
    const installation = this.#said.observed?.installation;
    if (installation === undefined) return 'unknown';
    return readRunId(host, { installation, partition, secondary }, abort);
  }

  /**
   * What a pass would do if this was what is to be. Nothing is done, and nothing is remembered of it.
   * @param forgiven of what has failed, what would be tried again
   */
  async planFor(
    input: TurnInput,
    stop: AbortSignal,
    forgiven: readonly Resource[] = [],
  ): Promise<Plan | null> {
    if (input.desired === null) return null;
    // It looks at the host as a pass does, and takes turns with them.
    const release = await this.#options.slots.take(stop);
    if (release === null) return null;
    try {
      const tools = { ...this.#tools(stop), stop };
      const memory = forgiven.reduce(forgiving, this.#remembered.memory);
      const { plan } = await look(input.desired, input, memory, tools);
      return stop.aborted ? null : plan;
    } finally {
      release();
    }
  }

  /** As of the last look; null: it does not run, or nobody could look. */
  runningDomain(secondary: SecondaryName): DomainRef | null {
    const seen = this.#said.observed?.domains.get(secondary);
    return seen?.status === 'present' && seen.value.power.status === 'running' ? seen.value : null;
  }

  /** Whose the things of this partition are on its host; null: nobody has looked yet. */
  get owner(): PartitionOwner | null {
    const { partition } = this.#options;
    const installation = this.#said.observed?.installation;
    return installation === undefined ? null : { installation, partition };
  }

  /**
   * Tries what has failed again, and starts what ended again and again.
   * @param what null: everything
   * @returns whether anything had failed, which is said until the next look unless it is said anew
   */
  forgive(what: Resource | null): boolean {
    const { failures } = this.#remembered;
    this.#remembered.forgive(what);
    this.#fetches.forgive(what);
    return what === null ? failures.size > 0 : failures.has(resourceKey(what));
  }

  /** What is said changes with what was accepted or refused, also where no pass comes of it. */
  restate(): void {
    this.#said.sayAnew(this.#options.input());
  }

  async close(): Promise<void> {
    await this.consoleLogs?.close();
    this.consoles.close();
    this.readiness.close();
    await this.#fetches.close();
    await this.#loop.close();
  }

  async #turn(
    because: readonly WakeReason[],
    stop: AbortSignal,
    release: () => void,
  ): Promise<Turned> {
    const { emit, partition, runtime, input: read } = this.#options;
    if (because.includes('resync')) this.#options.onResync();
    this.#orders = new AbortController();
    this.#remembered.passBegins();
    const input = read();
    this.#lastInput = input;
    if (input.desired === null) return this.#idle(input);
    emit({ kind: 'pass-started', partition, because });
    const startedMs = runtime.clock.now();
    const tools = this.#tools(stop);
    const seen = await look(input.desired, input, this.#remembered.memory, tools);
    // Of a look that was broken off nothing is known.
    if (tools.stop.aborted) return { changed: false, next: this.#next(input) };
    const lookOf = this.#keep(seen, input);
    this.readiness.follow(input.desired, seen);
    this.#fetches.follow(input.desired, seen, input.holdAll !== null);
    release();
    const done = await this.#act(seen, lookOf, input, tools);
    this.#remembered.keep(done.memory);
    await this.#options.onFulfilled([...seen.fulfilled, ...done.fulfilled]);
    await this.#fetches.judged(otherBytes(done.outcomes), input.desired);
    this.#options.onJudged([...readyImages(seen.plan.entries), ...judgedImages(done.outcomes)]);
    const durationMs = runtime.clock.now() - startedMs;
    const endedAt = instantOf(runtime.clock.wall());
    this.#said.passed(passReport(because, done.outcomes, durationMs, endedAt));
    emit(passFinished(partition, because, seen.plan, done.outcomes, durationMs));
    const next = this.#next(input);
    this.#said.say(read(), next.because === 'resync' ? null : next.afterMs);
    const changed = done.outcomes.some(({ result }) => result.status === 'applied');
    return { changed, next };
  }

  #next({ holdOverMs }: TurnInput): Turned['next'] {
    const { resyncMs, rules, runtime } = this.#options;
    return nextLook({
      memory: this.#remembered.memory,
      nowMs: runtime.clock.now(),
      holdOverMs,
      resyncMs,
      unreachable: this.#said.unreachable,
      filesMissing: this.#said.filesMissing,
      unseenForMs: this.#said.unseenForMs,
      rules,
      random: runtime.random(),
    });
  }

  /** Nothing is to be done, and nothing may be concluded. */
  #idle(input: TurnInput): Turned {
    this.#said.lookedAway();
    this.#said.say(input, null);
    return { changed: false, next: { afterMs: this.#options.resyncMs, because: 'resync' } };
  }

  #keep({ observed, plan, ended, memory }: Seen, { generation, holds }: TurnInput): Look {
    const { partition, emit } = this.#options;
    this.#isLookOld = false;
    this.consoleLogs?.follow(observed);
    this.#remembered.keep(memory);
    const { entries, operations } = plan;
    this.#options.onHeldUp(heldUp(entries));
    const seen = { observed, entries, operations, generation, holds, slice: memory.slice };
    this.#said.looked(seen);
    for (const { name, ...end } of ended) {
      emit({ kind: 'guest-ended', partition, secondary: name, ...end });
    }
    return seen;
  }

  /** What is to come is said before it is done, for it may take as long as a guest does. */
  async #act(seen: Seen, look: Look, input: TurnInput, tools: TurnTools): Promise<Done> {
    if (seen.plan.operations.length === 0) {
      return { outcomes: [], fulfilled: [], memory: seen.memory };
    }
    // Said by what holds now: somebody may have said more since this pass began.
    this.#said.say(this.#options.input(), null);
    const ended = new AbortController();
    const { signal } = ended;
    const { timers } = this.#options.runtime;
    const sayWhoHasCome = onceMore(
      () => this.#sayWhoHasCome(look, input, { ...tools, signal }),
      (error) => this.#onBug(explainError(error)),
    );
    const cancels: (() => void)[] = [];
    this.#isAtWork = true;
    const onOutcome = (outcome: Outcome) => {
      tools.onOutcome(outcome);
      if (isWaitedFor(outcome, look)) sayWhoHasCome();
      else if (isStart(outcome)) cancels.push(timers.after(untoldMs, sayWhoHasCome));
    };
    return carryOut(seen, input, { ...tools, onOutcome }).finally(() => {
      this.#isAtWork = false;
      ended.abort();
      for (const cancel of cancels) cancel();
    });
  }

  /** Who has come up in a pass is said to be there, and what it lacks, while the rest of it goes on. */
  async #sayWhoHasCome(
    look: Look,
    input: TurnInput,
    { signal, ...tools }: TurnTools & { readonly signal: AbortSignal },
  ): Promise<void> {
    if (input.desired === null || signal.aborted) return;
    const observed = await observeFor(input.desired, tools);
    if (signal.aborted || tools.stop.aborted || observed.unlisted !== null) return;
    this.consoleLogs?.follow(observed);
    this.#said.looked({ ...look, observed });
    this.#said.say(this.#options.input(), null);
    // Many may come one after the other, and each look reads all that there is.
    await this.#options.runtime.timers.sleep(untoldMs, signal);
  }

  /**
   * What was said before may no longer be so, and nobody has seen what is. Reading anew what holds
   * may be just what has failed.
   */
  #onBug(message: string): void {
    const { emit, partition } = this.#options;
    emit({ kind: 'pass-failed', partition, because: [], message });
    this.#said.lookedAway();
    if (this.#lastInput !== null) this.#said.say(this.#lastInput, null);
  }

  #fetchesFor({ fetchSlots: slots, ...options }: PartitionOptions): ImageFetches {
    return new ImageFetches({
      ...options,
      slots,
      wake: (because) => this.wake(because),
      forgive: (name) => this.#remembered.forgive({ kind: 'image', name }),
    });
  }

  #tools(stop: AbortSignal): TurnTools {
    const { partition, host: all, newInstallation, runtime, rules, emit } = this.#options;
    const host = withoutFetches(all, this.#fetches);
    const { abort, hurry } = this.#options;
    return {
      partition,
      host,
      newInstallation,
      now: () => runtime.clock.now(),
      random: runtime.random,
      rules,
      operationsInFlightMax: this.#options.operationsInFlightMax,
      stop: AbortSignal.any([stop, this.#orders.signal]),
      abort,
      interrupt: AbortSignal.any([hurry, this.#orders.signal]),
      onOutcome: (outcome: Outcome) => emit(operationEvent(partition, outcome)),
      fetchHolds: () => this.#fetches.holds,
    };
  }
}

/** Most passes have ended by then, and say so themselves. */
const untoldMs = 1000;

function isStart({ operation, result }: Outcome): boolean {
  return result.status === 'applied' && operation.kind === 'domain.start';
}

function isWaitedFor({ operation, result }: Outcome, { operations }: Look): boolean {
  return (
    result.status === 'applied' &&
    operations.some(
      ({ kind, after }) => kind === 'domain.await-ready' && after.includes(operation.id),
    )
  );
}

function logsOf(
  { partition, runtime, consolesFolder: folder, emit }: PartitionOptions,
  consoles: Consoles,
): ConsoleLogs | null {
  if (folder === null) return null;
  const { files, timers } = runtime;
  const onFailure = (message: string) => emit({ kind: 'console-not-kept', partition, message });
  return new ConsoleLogs({ files, folder, consoles, timers, onFailure });
}
