/**
 * One partition in the daemon's care, from when it is described to when it is not any more: the lock
 * that keeps others from writing to it, its authority, its loop, and the folder that it is read from.
 * What cannot be opened is tried again and again, and until then nothing is done.
 */
import { join } from 'node:path';
import type { PlainDocument } from '../documents/plain-document.ts';
import { explainError } from '../host/host-error.ts';
import type { DaemonHosts } from '../host/ports.ts';
import type { InstallationId } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { Emit, WakeReason } from '../report/event.ts';
import { partitionReport } from '../report/partition-report.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { instantOf } from '../report/instant.ts';
import { type AcceptedStore, openAccepted } from './accepted/accepted-store.ts';
import { openWishes, type Wishes } from './accepted/wishes.ts';
import { Authority } from './authority.ts';
import { FollowedFolder } from './followed-folder.ts';
import { withHeavySlots } from './heavy-work.ts';
import type { HostAdmission } from './host-admission.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import type { DocumentParser } from './parser.ts';
import { Partition } from './partition.ts';
import type { RetryRules } from './retry.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';
import { withoutWorker } from './without-worker.ts';

/** What all partitions of a daemon share. */
export interface Shared {
  readonly runtime: Runtime;
  readonly hosts: DaemonHosts;
  readonly parser: DocumentParser;
  /** Rejects with `Conflict` while somebody else changes the partition. */
  readonly lock: (partition: PartitionName) => Promise<{ release(): Promise<void> }>;
  readonly newInstallation: () => InstallationId;
  readonly slots: Slots;
  readonly rules: RetryRules;
  readonly stateDir: string;
  /** Below it each partition has a folder of its name, if `spec.source` is `Directory`. */
  readonly desiredStateDir: string;
  /** Whether what guests write to their consoles is kept there. */
  readonly consoleLogs: boolean;
  readonly resyncMs: number;
  readonly operationsInFlightMax: number;
  readonly deletionsMax: number;
  /** How many images are copied at once. */
  readonly heavy: Slots;
  readonly fetcher: ImageFetcher;
  /** How many partitions fetch at once. */
  readonly fetchSlots: Slots;
  /** Whether the host has room for a partition. */
  readonly admission: Pick<HostAdmission, 'standing' | 'isJudged' | 'commonCpus'>;
  /** Breaks off what is under way. */
  readonly abort: AbortSignal;
  /** Breaks off what only waits for a guest. */
  readonly hurry: AbortSignal;
  readonly emit: Emit;
  readonly onStatus: (status: PartitionStatus) => void;
}

interface Opened {
  readonly authority: Authority;
  readonly loop: Partition;
  readonly lock: { release(): Promise<void> };
}

const openAgainMs = 2000;
/** How long the first pass waits for the folder that rules: what is in force may be of yesterday. */
const firstReadMs = 5000;

export class KeptPartition {
  readonly name: PartitionName;
  readonly #shared: Shared;
  readonly #closing = new AbortController();
  #description: PlainDocument;
  #opened: Opened | null = null;
  #folder: FollowedFolder | null = null;
  #isStarted = false;
  /** It would begin if it were known whether its host has room for it. */
  #isDue = false;
  #opening: Promise<void>;
  #problem = 'it is being opened';
  #cancelStart: () => void = () => undefined;
  #closedSaid: PartitionStatus | null = null;

  constructor(name: PartitionName, description: PlainDocument, shared: Shared) {
    this.name = name;
    this.#description = description;
    this.#shared = shared;
    this.#opening = this.#openUntilOpen();
  }

  /** Null until it could be opened. */
  get authority(): Authority | null {
    return this.#opened?.authority ?? null;
  }

  get loop(): Partition | null {
    return this.#opened?.loop ?? null;
  }

  get status(): PartitionStatus {
    return this.#opened?.loop.status ?? this.#closedStatus();
  }

  get description(): PlainDocument {
    return this.#description;
  }

  describe(description: PlainDocument): void {
    this.#description = description;
    if (this.#opened?.authority.describe(description) !== true) return;
    this.#followFolder();
    this.readFolder();
  }

  /** Whether its host has room for it is another word now. */
  refit(): void {
    if (this.#isDue) this.#begin();
    if (this.#isStarted && this.#opened !== null) this.#onChange('host-fit', this.#opened.loop);
  }

  wake(because: WakeReason): void {
    if (this.#isStarted) this.#opened?.loop.wake(because);
  }

  /** What was refused may be taken by now, and no file will tell of it. */
  readFolder(): void {
    this.#folder?.read();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelStart();
    await this.#opening;
    const loopEnds = this.#opened?.loop.close();
    await this.#folder?.close();
    await this.#opened?.authority.close();
    await loopEnds;
    // Nobody else may write before nobody here does.
    await this.#opened?.lock.release();
  }

  async #openUntilOpen(): Promise<void> {
    const { runtime, onStatus } = this.#shared;
    while (!this.#closing.signal.aborted) {
      const opened = await this.#open();
      if (opened !== null) {
        this.#opened = opened;
        // It may have been described anew in the meantime.
        opened.authority.describe(this.#description);
        this.#followFolder();
        return this.#beginSoon();
      }
      onStatus(this.#closedStatus());
      await runtime.timers.sleep(openAgainMs, this.#closing.signal);
    }
  }

  #beginSoon(): void {
    if (this.#folder === null) return this.#begin();
    this.#cancelStart = this.#shared.runtime.timers.after(firstReadMs, () => this.#begin());
  }

  #begin(): void {
    this.#cancelStart();
    this.#isDue = true;
    if (this.#isStarted || !this.#shared.admission.isJudged(this.name)) return;
    this.#isStarted = true;
    this.#opened?.loop.wake('started');
  }

  async #open(): Promise<Opened | null> {
    const { runtime, stateDir, lock: take } = this.#shared;
    let lock: Opened['lock'] | null = null;
    try {
      lock = await take(this.name);
      const accepted = await openAccepted(runtime.files, stateDir, this.name);
      if (accepted.status === 'open') {
        const wishes = await openWishes(runtime.files, stateDir, this.name);
        return { ...this.#assemble(accepted.store, wishes), lock };
      }
      this.#problem = accepted.message;
    } catch (error) {
      this.#problem = explainError(error);
    }
    await lock?.release();
    return null;
  }

  #assemble(accepted: AcceptedStore, wishes: Wishes): Pick<Opened, 'authority' | 'loop'> {
    const { runtime, parser, deletionsMax, emit, admission } = this.#shared;
    for (const { generation, message } of accepted.torn) {
      emit({ kind: 'bundle-torn', partition: this.name, generation, message });
    }
    const authority = new Authority({
      partition: this.name,
      description: this.#description,
      accepted,
      wishes,
      parser,
      clock: runtime.clock,
      deletionsMax,
      emit,
      unfit: () => admission.standing(this.name),
      commonCpus: () => admission.commonCpus,
      onAskedAgain: () => this.wake('request'),
      onChange: (because) => this.#onChange(because, loop),
    });
    const loop = this.#loopFor(authority);
    return { authority, loop };
  }

  #onChange(because: WakeReason | null, loop: Partition): void {
    if (because === null) return loop.restate();
    if (because !== 'request') loop.forgive(null);
    // What the pass under way was for may no longer be wanted.
    loop.interrupt();
    if (because === 'documents') this.#begin();
    this.wake(because);
  }

  #loopFor(authority: Authority): Partition {
    const { hosts, runtime, newInstallation, slots, rules, resyncMs } = this.#shared;
    const { consoleLogs, stateDir, fetcher, fetchSlots } = this.#shared;
    const { operationsInFlightMax, onStatus, emit, heavy, parser, abort, hurry } = this.#shared;
    return new Partition({
      partition: this.name,
      host: withoutWorker(withHeavySlots(hosts.host(this.name), heavy), this.name, parser),
      runtime,
      consolesFolder: consoleLogs ? join(stateDir, this.name, 'consoles') : null,
      newInstallation,
      slots,
      fetcher,
      fetchSlots,
      rules,
      resyncMs,
      operationsInFlightMax,
      abort,
      hurry,
      input: () => authority.input(),
      onFulfilled: (requests) => authority.fulfil(requests),
      onHeldUp: (images) => {
        // The pass that has seen it goes on: nothing in its plan was for these.
        if (authority.dropWritten(images)) this.wake('request');
      },
      onJudged: (images) => authority.forgetWritten(images),
      onSynced: (generation) => authority.synced(generation),
      onResync: () => this.readFolder(),
      onStatus,
      emit,
    });
  }

  /** Only where the folder rules it is looked at. */
  #followFolder(): void {
    const authority = this.#opened?.authority;
    if (authority === undefined || this.#closing.signal.aborted) return;
    const wanted = authority.source === 'Directory';
    if (!wanted) {
      void this.#folder?.close();
      this.#folder = null;
    }
    if (!wanted || this.#folder !== null) return;
    const { runtime, desiredStateDir } = this.#shared;
    this.#folder = new FollowedFolder({
      runtime,
      folder: join(desiredStateDir, this.name),
      authority,
      onHeard: () => this.#begin(),
    });
  }

  #closedStatus(): PartitionStatus {
    const { runtime } = this.#shared;
    const statement = {
      type: 'Accepted',
      status: 'Unknown',
      reason: 'NotOpen',
      message: this.#problem,
    } as const;
    const facts = {
      partition: this.name,
      generation: 0,
      digest: '',
      described: { share: 'unspoken', primary: 'unspoken', network: 'unspoken' } as const,
      look: null,
      failures: new Map(),
      statements: [statement],
      lastPass: null,
      nextTryAt: null,
    };
    this.#closedSaid = partitionReport(facts, this.#closedSaid, instantOf(runtime.clock.wall()));
    return this.#closedSaid;
  }
}
