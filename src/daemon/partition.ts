/**
 * One partition as long as the daemon keeps it: its loop, what is remembered between passes, and
 * the status that is said of it.
 */
import type { Outcome } from '../execute/outcome.ts';
import type { Host } from '../host/ports.ts';
import { domainName, type InstallationId, secondaryUuid } from '../model/identity.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { Emit, WakeReason } from '../report/event.ts';
import { type Look, partitionReport } from '../report/partition-report.ts';
import { instantOf } from '../report/instant.ts';
import type { PartitionStatus, PassReport } from '../report/partition-status.ts';
import { conditionEvents, operationEvent, passFinished } from './happenings.ts';
import { Loop, type Turned } from './loop.ts';
import { nextLook } from './next-look.ts';
import { passReport } from './pass-report.ts';
import { drainStatements, gaveUpStatements, hostStatement, pauseStatements } from './statements.ts';
import type { RetryRules } from './retry.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';
import {
  carryOut,
  type Done,
  forgiving,
  look,
  nothingRemembered,
  type Seen,
  type TurnMemory,
  type TurnTools,
} from './turn.ts';
import type { Request, TurnInput } from './turn-input.ts';

export interface PartitionOptions {
  readonly partition: PartitionName;
  readonly host: Host;
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'random'>;
  readonly newInstallation: () => InstallationId;
  readonly slots: Slots;
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
  #memory: TurnMemory = nothingRemembered;
  #status: PartitionStatus | null = null;
  #lastPass: PassReport | null = null;
  #look: Look | null = null;
  /** Looks in a row that found no host. */
  #unreachable = 0;
  /** Of the pass that is under way. */
  #orders = new AbortController();
  /** Who is forgiven what the pass under way still remembers; null: everybody. */
  readonly #forgivenMeanwhile = new Set<SecondaryName | null>();

  constructor(options: PartitionOptions) {
    const { partition, runtime, slots, emit } = options;
    this.#options = options;
    this.#loop = new Loop({
      runtime,
      slots,
      turn: (because, stop, release) => this.#turn(because, stop, release),
      onBug: (message) => this.#onBug(message),
    });
  }

  get status(): PartitionStatus {
    return this.#status ?? this.#report(this.#options.input(), null);
  }

  wake(because: WakeReason): void {
    this.#loop.wake(because);
  }

  /** Other orders hold from now on: the pass under way begins nothing more, and waits for no guest. */
  interrupt(): void {
    this.#orders.abort();
  }

  /** libvirt's id of the run that goes on now; null: none does. */
  async runIdOf(name: SecondaryName): Promise<number | null | 'unknown'> {
    const { partition, host } = this.#options;
    const installation = this.#look?.observed.installation;
    if (installation === undefined) return 'unknown';
    const uuid = secondaryUuid({ installation, partition, secondary: name });
    const ref = { uuid, domainName: domainName(partition, name) };
    const [seen] = await host.domains.read([ref], this.#options.abort).catch(() => []);
    switch (seen?.status) {
      case 'present':
        return seen.value.runId;
      case 'absent':
        return null;
      case 'unknown':
      case undefined:
        return 'unknown';
    }
  }

  /** Tries what has failed again, and starts what ended again and again. */
  forgive(name: SecondaryName | null): void {
    this.#forgivenMeanwhile.add(name);
    this.#memory = forgiving(this.#memory, name);
  }

  /** What is said changes with what was accepted or refused, also where no pass comes of it. */
  restate(): void {
    this.#say(this.#report(this.#options.input(), this.#status?.nextTryAt ?? null));
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  async #turn(
    because: readonly WakeReason[],
    stop: AbortSignal,
    release: () => void,
  ): Promise<Turned> {
    const { emit, partition, runtime, input: read } = this.#options;
    if (because.includes('resync')) this.#options.onResync();
    this.#orders = new AbortController();
    this.#forgivenMeanwhile.clear();
    const input = read();
    if (input.desired === null) return this.#idle(input);
    emit({ kind: 'pass-started', partition, because });
    const startedMs = runtime.clock.now();
    const tools = this.#tools(stop);
    const seen = await look(input.desired, input, this.#memory, tools);
    // Of a look that was broken off nothing is known.
    if (stop.aborted) return { changed: false, next: this.#next(input) };
    this.#keep(seen, input);
    release();
    const done = await this.#act(seen, input, tools);
    this.#remember(done.memory);
    await this.#options.onFulfilled([...seen.fulfilled, ...done.fulfilled]);
    const durationMs = runtime.clock.now() - startedMs;
    this.#lastPass = passReport(because, done.outcomes, durationMs, this.#at());
    emit(passFinished(partition, because, seen.plan, done.outcomes, durationMs));
    const next = this.#next(input);
    this.#say(this.#report(read(), next.because === 'resync' ? null : this.#at(next.afterMs)));
    const changed = done.outcomes.some(({ result }) => result.status === 'applied');
    return { changed, next };
  }

  #next({ holdOverMs }: TurnInput): Turned['next'] {
    const { resyncMs, rules, runtime } = this.#options;
    return nextLook({
      memory: this.#memory,
      nowMs: runtime.clock.now(),
      holdOverMs,
      resyncMs,
      unreachable: this.#unreachable,
      rules,
      random: runtime.random(),
    });
  }

  /** Nothing is to be done, and nothing may be concluded. */
  #idle(input: TurnInput): Turned {
    this.#look = null;
    this.#say(this.#report(input, null));
    return { changed: false, next: { afterMs: this.#options.resyncMs, because: 'resync' } };
  }

  #keep({ observed, plan, ended, memory }: Seen, { generation, holds }: TurnInput): void {
    const { partition, emit } = this.#options;
    this.#remember(memory);
    this.#unreachable = observed.unlisted === null ? 0 : this.#unreachable + 1;
    this.#look = { observed, entries: plan.entries, generation, holds };
    for (const { name, ...end } of ended) {
      emit({ kind: 'guest-ended', partition, secondary: name, ...end });
    }
  }

  /** What is to come is said before it is done, for it may take as long as a guest does. */
  async #act(seen: Seen, input: TurnInput, tools: TurnTools): Promise<Done> {
    const isOver = this.#orders.signal.aborted;
    if (seen.plan.operations.length === 0 || isOver) {
      return { outcomes: [], fulfilled: [], memory: seen.memory };
    }
    this.#say(this.#report(input, null));
    return carryOut(seen, input, tools);
  }

  /** But for what was forgiven in the meantime. */
  #remember(memory: TurnMemory): void {
    let left = memory;
    for (const name of this.#forgivenMeanwhile) left = forgiving(left, name);
    this.#memory = left;
  }

  /** What was said before may no longer be so, and nobody has seen what is. */
  #onBug(message: string): void {
    const { emit, partition, input } = this.#options;
    emit({ kind: 'pass-failed', partition, because: [], message });
    this.#look = null;
    this.#say(this.#report(input(), null));
  }

  #tools(stop: AbortSignal): TurnTools {
    const { partition, host, newInstallation, runtime, rules, emit } = this.#options;
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
    };
  }

  #report(input: TurnInput, nextTryAt: string | null): PartitionStatus {
    const { generation, digest } = input;
    const failures = new Map(
      [...this.#memory.failures].map(([key, { message, nextTryMs }]) => [
        key,
        { message, gaveUp: nextTryMs === null },
      ]),
    );
    const facts = {
      partition: this.#options.partition,
      generation,
      digest,
      look: this.#look,
      failures,
      statements: [
        ...input.statements,
        hostStatement(this.#unreachable, this.#look?.observed ?? null),
        ...pauseStatements(input.holdAll),
        ...drainStatements(input.drain, this.#look),
        ...gaveUpStatements(failures),
      ],
      lastPass: this.#lastPass,
      nextTryAt,
    };
    return partitionReport(facts, this.#status, this.#at());
  }

  #say(status: PartitionStatus): void {
    const { emit, onStatus } = this.#options;
    for (const event of conditionEvents(this.#status, status)) emit(event);
    this.#status = status;
    onStatus(status);
    if (status.sync === 'Synced') this.#options.onSynced(status.observedGeneration);
  }

  #at(laterMs = 0): string {
    return instantOf(this.#options.runtime.clock.wall() + laterMs);
  }
}
