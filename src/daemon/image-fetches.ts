/**
 * Fetches the Images of a partition beside its passes, one at a time: a pass makes the room, what comes is
 * added to it as an upload is, and once all is there a pass looks into it. So what a server does keeps no pass
 * waiting, and how far a fetch is stands in the intake and nowhere else: a daemon that starts anew goes on
 * there. What is remembered is only what has failed, and how often.
 *
 * Rejected: an operation of the plan that fetches, which would hold up everything else of the partition for as
 * long as a server likes.
 */
import type { Block } from '../diff/change.ts';
import { fetchKey } from '../diff/held.ts';
import { explainError } from '../host/host-error.ts';
import type { Host } from '../host/ports.ts';
import type { PartitionOwner } from '../model/identity.ts';
import { isFor } from '../model/intake.ts';
import type { ImageName } from '../model/names.ts';
import type { Resource } from '../model/resource.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Emit, WakeReason } from '../report/event.ts';
import { type Fetched, fetchImage } from './image-fetch.ts';
import { type FetchFailure, fetchFailed, type ImageFetcher } from './image-fetcher.ts';
import {
  fetchesFor,
  intakeFor,
  keyOf,
  type Looked,
  mayFetchIn,
  type Wanted,
} from './wanted-fetches.ts';
import { type Failing, holdsOf, nextTryMs, retryDelayMs, type RetryRules } from './retry.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';

export interface ImageFetchesOptions {
  readonly host: Pick<Host, 'intakes'>;
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'random'>;
  readonly fetcher: ImageFetcher;
  /** How many partitions fetch at once. */
  readonly slots: Slots;
  readonly rules: RetryRules;
  readonly emit: Emit;
  /** There is more to see, or to do. */
  readonly wake: (because: WakeReason) => void;
  /** What was held against the bytes of an Image is not about those that it has now. */
  readonly forgive: (image: ImageName) => void;
}

interface Failed extends Failing {
  /** Of what it is; other bytes, or another place, have not failed. */
  readonly key: string;
  /** The most that have come. */
  readonly bestBytes: number;
}

interface Running {
  readonly image: ImageName;
  readonly key: string;
  readonly end: AbortController;
  readonly ended: Promise<void>;
}

export class ImageFetches {
  readonly #options: ImageFetchesOptions;
  readonly #closing = new AbortController();
  /** In the order of their names. */
  #wanted: readonly Wanted[] = [];
  readonly #failures = new Map<ImageName, Failed>();
  /** What came as a whole, by one answer: what comes again is no other. */
  readonly #wholes = new Map<ImageName, string>();
  /** What was fetched once more. */
  readonly #again = new Map<ImageName, string>();
  #owner: PartitionOwner | null = null;
  #running: Running | null = null;
  /** Nobody may be in the slice. */
  #isHeldUp = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: ImageFetchesOptions) {
    this.#options = options;
  }

  /** Why Images are not fetched now, for the next plan. */
  get holds(): ReadonlyMap<string, Block> {
    const byKey = new Map([...this.#failures].map(([image, each]) => [fetchKey(image), each]));
    return holdsOf(byKey, this.#options.runtime.clock.now());
  }

  /** What a look has seen, and a plan is about to do. @param isHeld the partition is to be left alone */
  follow(desired: DesiredState, looked: Looked, isHeld: boolean): void {
    const { observed } = looked;
    this.#owner = { installation: observed.installation, partition: observed.partition };
    const asked = new Map(fetchesFor(desired).map((each) => [each.image, keyOf(each)]));
    for (const map of [this.#wholes, this.#again]) forget(map, (key) => key, asked);
    forget(this.#failures, ({ key }) => key, asked);
    this.#wanted = isHeld ? [] : mayFetchIn(desired, looked);
    const running = this.#running;
    if (running !== null && !this.#isWanted(running)) running.end.abort();
    this.#goOn();
  }

  /** These were not what they are to be. They are fetched once more, if they may have been of several files. */
  async judged(images: readonly ImageName[], desired: DesiredState): Promise<void> {
    const owner = this.#owner;
    if (owner === null) return;
    for (const each of fetchesFor(desired)) {
      const { image } = each;
      const key = keyOf(each);
      if (!images.includes(image)) continue;
      if (this.#wholes.get(image) === key || this.#again.get(image) === key) continue;
      this.#again.set(image, key);
      const { intakes } = this.#options.host;
      try {
        await intakes.append(owner, intakeFor(each), 0, new Uint8Array(0), this.#closing.signal);
      } catch {
        // It is said already that what came is no good.
        continue;
      }
      this.#options.forgive(image);
      this.#options.wake('fetch');
    }
  }

  /** Tries again at once. @param what null: everything */
  forgive(what: Resource | null): void {
    for (const map of [this.#failures, this.#wholes, this.#again]) {
      // Names of resources are those of what they are.
      if (what === null) map.clear();
      else if (what.kind === 'image') map.delete(what.name as ImageName);
    }
    this.#goOn();
  }

  /** While nothing is fetched. */
  async without<T>(act: () => Promise<T>): Promise<T> {
    this.#isHeldUp = true;
    this.#running?.end.abort();
    try {
      await this.#running?.ended;
      return await act();
    } finally {
      this.#isHeldUp = false;
      this.#goOn();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelTimer();
    this.#running?.end.abort();
    await this.#running?.ended;
  }

  #isWanted({ image, key }: Pick<Running, 'image' | 'key'>): boolean {
    return this.#wanted.some((each) => each.image === image && keyOf(each) === key);
  }

  #goOn(): void {
    this.#cancelTimer();
    if (this.#running !== null || this.#isHeldUp || this.#closing.signal.aborted) return;
    const nowMs = this.#options.runtime.clock.now();
    const due = this.#wanted.find(({ image }) => {
      const failed = this.#failures.get(image);
      return failed === undefined || (failed.nextTryMs !== null && failed.nextTryMs <= nowMs);
    });
    if (due !== undefined) return this.#begin(due);
    const waiting = this.#wanted.flatMap(({ image }) => {
      const failed = this.#failures.get(image);
      return failed === undefined ? [] : [[image, failed] as const];
    });
    const at = nextTryMs(new Map(waiting), nowMs);
    if (at === null) return;
    this.#cancelTimer = this.#options.runtime.timers.after(at - nowMs, () => this.#goOn());
  }

  #begin(wanted: Wanted): void {
    const end = new AbortController();
    const ended = this.#fetch(wanted, end.signal).finally(() => {
      this.#running = null;
      this.#goOn();
    });
    this.#running = { image: wanted.image, key: keyOf(wanted), end, ended };
  }

  async #fetch(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { slots, wake } = this.#options;
    const giveBack = await slots.take(signal);
    if (giveBack === null) return;
    try {
      const receivedBytes = await this.#receivedBytes(wanted, signal);
      if (receivedBytes === null) wake('fetch');
      // The look that it is wanted by was older.
      if (receivedBytes === null || receivedBytes >= wanted.sizeBytes) return this.#drop(wanted);
      const fetched = await this.#tryOnce(wanted, receivedBytes, signal);
      // A pass may have seen all of it before this knows.
      if (signal.aborted && fetched.failure !== null) return;
      // Before the next look nobody knows that it is there, or how far it is.
      this.#drop(wanted);
      if (fetched.failure === null) this.#succeeded(wanted, fetched);
      else this.#failed(wanted, fetched, fetched.failure);
      wake('fetch');
    } finally {
      giveBack();
    }
  }

  #drop(wanted: Wanted): void {
    this.#wanted = this.#wanted.filter(({ image }) => image !== wanted.image);
  }

  /** Null: there is no room for it. */
  async #receivedBytes(wanted: Wanted, signal: AbortSignal): Promise<number | null> {
    const { intakes } = this.#options.host;
    const { owner, image } = wanted;
    const seen = await intakes.read(owner.partition, image, signal).catch(() => null);
    if (seen?.status !== 'present' || !isFor(intakeFor(wanted), seen.value)) return null;
    return seen.value.receivedBytes;
  }

  async #tryOnce(wanted: Wanted, receivedBytes: number, signal: AbortSignal): Promise<Fetched> {
    const { host, fetcher, runtime, wake } = this.#options;
    const { owner, sizeBytes } = wanted;
    const intake = intakeFor(wanted);
    try {
      let tenths = Math.floor((10 * receivedBytes) / sizeBytes);
      const append = async (atByte: number, bytes: Uint8Array) => {
        signal.throwIfAborted();
        const there = await host.intakes.append(owner, intake, atByte, bytes, signal);
        const now = Math.floor((10 * there) / sizeBytes);
        if (now !== tenths && there < sizeBytes) wake('fetch');
        tenths = now;
        return there;
      };
      const tools = { fetcher, append, timers: runtime.timers };
      const { partition } = owner;
      return await fetchImage({ ...wanted, partition, receivedBytes }, tools, signal);
    } catch (error) {
      return { failure: fetchFailed(explainError(error)), isOfOneAnswer: false, receivedBytes: 0 };
    }
  }

  #succeeded(wanted: Wanted, { isOfOneAnswer }: Fetched): void {
    const { image } = wanted;
    this.#failures.delete(image);
    if (isOfOneAnswer) this.#wholes.set(image, keyOf(wanted));
    this.#options.forgive(image);
  }

  #failed(wanted: Wanted, { receivedBytes }: Fetched, failure: FetchFailure): void {
    const { rules, runtime, emit } = this.#options;
    const { image, owner } = wanted;
    const before = this.#failures.get(image);
    const { attempts, bestBytes } = countedWith(before, receivedBytes, wanted.sizeBytes);
    const { code } = failure;
    const message = `${code}: ${failure.message}`;
    const isLast = !failure.retryable || attempts >= rules.attemptsMax;
    const waitMs = isLast ? null : retryDelayMs(attempts, rules, runtime.random());
    const nextTryMs = waitMs === null ? null : runtime.clock.now() + waitMs;
    const facts = { attempts, nextTryMs, message, state: null };
    this.#failures.set(image, { ...facts, key: keyOf(wanted), bestBytes });
    const { partition } = owner;
    emit({ kind: 'fetch-failed', partition, image, code, message: failure.message, waitMs });
  }
}

/** One that gets on, though it breaks off again and again, does not fail for ever. */
function countedWith(before: Failed | undefined, receivedBytes: number, sizeBytes: number) {
  const worthBytes = Math.max(1, Math.floor(sizeBytes / 100));
  if (before === undefined) return { attempts: 1, bestBytes: receivedBytes };
  const { attempts, bestBytes } = before;
  if (receivedBytes < bestBytes + worthBytes) return { attempts: attempts + 1, bestBytes };
  return { attempts: 1, bestBytes: receivedBytes };
}

function forget<T>(
  map: Map<ImageName, T>,
  keyIn: (value: T) => string,
  asked: ReadonlyMap<ImageName, string>,
): void {
  for (const [image, value] of map) if (asked.get(image) !== keyIn(value)) map.delete(image);
}
