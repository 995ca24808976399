/**
 * One partition as long as the daemon keeps it: its loop, what is remembered between passes, and
 * the status that is said of it.
 */
import type { Outcome } from '../execute/outcome.ts';
import type { Host } from '../host/ports.ts';
import type { InstallationId } from '../model/identity.ts';
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
import { forgiven } from './runs.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';
import {
  carryOut,
  look,
  nothingRemembered,
  type Seen,
  type TurnMemory,
  type TurnTools,
} from './turn.ts';
import type { TurnInput } from './turn-input.ts';

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
  readonly input: () => TurnInput;
  /** These need not be asked for again. */
  readonly onFulfilled: (names: readonly SecondaryName[]) => Promise<void>;
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

  constructor(options: PartitionOptions) {
    const { partition, runtime, slots, emit } = options;
    this.#options = options;
    this.#loop = new Loop({
      runtime,
      slots,
      turn: (because, stop) => this.#turn(because, stop),
      onBug: (message) => emit({ kind: 'pass-failed', partition, because: [], message }),
    });
  }

  get status(): PartitionStatus {
    return this.#status ?? this.#report(this.#options.input(), null);
  }

  wake(because: WakeReason): void {
    this.#loop.wake(because);
  }

  /** libvirt's id of the run that was seen last; null: none was. */
  runIdOf(name: SecondaryName): number | null {
    const seen = this.#look?.observed.domains.get(name);
    return seen?.status === 'present' ? seen.value.runId : null;
  }

  /** Tries what has failed again, and starts what ended again and again. */
  forgive(name?: SecondaryName): void {
    const { failures, runs } = this.#memory;
    const left =
      name === undefined ? [] : [...failures].filter(([key]) => key !== `secondary/${name}`);
    this.#memory = { failures: new Map(left), runs: forgiven(runs, name) };
  }

  /** What is said changes with what was accepted or refused, also where no pass comes of it. */
  restate(): void {
    this.#say(this.#report(this.#options.input(), this.#status?.nextTryAt ?? null));
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  async #turn(because: readonly WakeReason[], stop: AbortSignal): Promise<Turned> {
    const { emit, partition, runtime, input: read, rules, resyncMs } = this.#options;
    if (because.includes('resync')) this.#options.onResync();
    const input = read();
    if (input.desired === null) return this.#idle(input);
    emit({ kind: 'pass-started', partition, because });
    const startedMs = runtime.clock.now();
    const tools = this.#tools(stop);
    const seen = await look(input.desired, input, this.#memory, tools);
    this.#keep(seen, input);
    const ended =
      seen.plan.operations.length === 0
        ? { ...seen, outcomes: [], fulfilled: [] }
        : await this.#act(seen, input, tools);
    this.#memory = ended.memory;
    await this.#options.onFulfilled([...seen.fulfilled, ...ended.fulfilled]);
    const durationMs = runtime.clock.now() - startedMs;
    this.#lastPass = passReport(because, ended.outcomes, durationMs, this.#at());
    emit(passFinished(partition, because, seen.plan, ended.outcomes, durationMs));
    this.#unreachable = seen.observed.unlisted === null ? 0 : this.#unreachable + 1;
    const changed = ended.outcomes.some(({ result }) => result.status === 'applied');
    const next = nextLook({
      memory: this.#memory,
      nowMs: runtime.clock.now(),
      holdOverMs: input.holdOverMs,
      resyncMs,
      unreachable: this.#unreachable,
      rules,
      random: runtime.random(),
    });
    this.#say(this.#report(read(), next.because === 'resync' ? null : this.#at(next.afterMs)));
    return { changed, next };
  }

  /** Nothing is to be done, and nothing may be concluded. */
  #idle(input: TurnInput): Turned {
    this.#look = null;
    this.#say(this.#report(input, null));
    return { changed: false, next: { afterMs: this.#options.resyncMs, because: 'resync' } };
  }

  #keep({ observed, plan, ended, memory }: Seen, { generation, holds }: TurnInput): void {
    const { partition, emit } = this.#options;
    this.#memory = memory;
    this.#look = { observed, entries: plan.entries, generation, holds };
    for (const { name, ...end } of ended) {
      emit({ kind: 'guest-ended', partition, secondary: name, ...end });
    }
  }

  /** What is to come is said before it is done, for it may take as long as a guest does. */
  async #act(seen: Seen, input: TurnInput, tools: TurnTools) {
    this.#say(this.#report(input, null));
    return carryOut(seen, input, tools);
  }

  #tools(stop: AbortSignal): TurnTools {
    const { partition, host, newInstallation, runtime, rules, emit, abort } = this.#options;
    return {
      partition,
      host,
      newInstallation,
      now: () => runtime.clock.now(),
      random: runtime.random,
      rules,
      operationsInFlightMax: this.#options.operationsInFlightMax,
      stop,
      abort,
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
  }

  #at(laterMs = 0): string {
    return instantOf(this.#options.runtime.clock.wall() + laterMs);
  }
}
