/**
 * The `DocumentParser` of the daemon: for each partition a worker of its own, started when it is
 * needed, in the partition's slice once there is one, kept warm for a while, ended when others need
 * its seat. What goes wrong with a worker is
 * one failed answer to its own partition. It is not tried again here: whoever asks again waits
 * longer each time.
 */
import { setMaxListeners } from 'node:events';
import { bundleTooLarge } from '../../documents/bundle.ts';
import type { PlainDocument } from '../../documents/plain-document.ts';
import type { SourceFile } from '../../documents/source.ts';
import { explainError } from '../../host/host-error.ts';
import type { WorkerPlace, WorkerPlaces } from '../../host/worker-places.ts';
import type { PartitionName } from '../../model/names.ts';
import type { DocumentParser, ParsedDocuments } from '../parser.ts';
import { retryDelayMs } from '../retry.ts';
import type { Runtime } from '../runtime.ts';
import { type Slots, slots } from '../slots.ts';
import type { SpawnWorker } from '../worker-process.ts';
import { Gate } from './gate.ts';
import { workerLimits } from './limits.ts';
import { answerBytesMax, parseMsMax, type ParseRequest } from './protocol.ts';
import { failure, Worker } from './worker.ts';

type ParserRuntime = Pick<Runtime, 'clock' | 'timers' | 'random'>;

/** What is known of one partition. */
interface Desk {
  /** The last request, after which the next one is dealt with. */
  last: Promise<unknown>;
  worker: Worker | null;
  workedMs: number;
  /** In a row. */
  failures: number;
  /** Monotonic: no worker is started before. */
  notBeforeMs: number;
  /** No worker is started before it has resolved. */
  readonly gate: Gate;
  stopWarmth: () => void;
}

export function openDocumentParser(
  spawn: SpawnWorker,
  places: WorkerPlaces,
  runtime: ParserRuntime,
): DocumentParser {
  return new WorkerParser(spawn, places, runtime);
}

const nobodyWaits = failure('GivenUp', 'nobody waits for the answer any more');

const isGivenUp = (answer: ParsedDocuments) =>
  answer.status === 'failed' && answer.code === 'GivenUp';

/** Of a look for the slice: who might have none is not taken for one that has none. */
const asFailure = (error: unknown) => failure('Outside', explainError(error));

class WorkerParser implements DocumentParser {
  readonly #spawn: SpawnWorker;
  readonly #places: WorkerPlaces;
  readonly #runtime: ParserRuntime;
  readonly #desks = new Map<PartitionName, Desk>();
  /** With a worker that does nothing; the one that was used longest ago is first. */
  readonly #idle = new Set<Desk>();
  /** Who finds none waits; nobody is ever refused. */
  readonly #seats: Slots;
  /** What is being answered, or waits for it. */
  readonly #open = new Set<AbortController>();
  readonly #alive = new Set<Worker>();
  #lastId = 0;
  #isClosed = false;

  constructor(spawn: SpawnWorker, places: WorkerPlaces, runtime: ParserRuntime) {
    this.#spawn = spawn;
    this.#places = places;
    this.#runtime = runtime;
    this.#seats = slots(workerLimits.workersMax, () => this.#endLongestIdle());
  }

  parse(
    partition: PartitionName,
    files: readonly SourceFile[],
    signal: AbortSignal,
    partitionDocument: PlainDocument | null = null,
  ): Promise<ParsedDocuments> {
    const tooLarge = bundleTooLarge(files);
    if (tooLarge !== null) return Promise.resolve({ status: 'invalid', diagnostics: [tooLarge] });
    const desk = this.#deskOf(partition);
    const asked = { partition, files, partitionDocument };
    const answer = desk.last.then(() =>
      this.#whileOpen(signal, (until) => this.#answer(desk, asked, until)),
    );
    desk.last = answer.catch(() => undefined);
    return answer;
  }

  /** Not `AbortSignal.any`: what lives as long as the daemon would keep something of each request. */
  async #whileOpen<T>(signal: AbortSignal, act: (until: AbortSignal) => Promise<T>): Promise<T> {
    const either = new AbortController();
    const onAbort = () => either.abort();
    if (signal.aborted || this.#isClosed) onAbort();
    // As many partitions may wait at once as there are.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', onAbort);
    this.#open.add(either);
    try {
      return await act(either.signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#open.delete(either);
    }
  }

  without<T>(partition: PartitionName, act: () => Promise<T>): Promise<T> {
    const desk = this.#deskOf(partition);
    return desk.gate.closedWhile(async () => {
      const { worker } = desk;
      this.#end(desk);
      await worker?.ended;
      return act();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const request of this.#open) request.abort();
    const alive = [...this.#alive];
    for (const worker of alive) worker.end();
    for (const desk of this.#desks.values()) desk.stopWarmth();
    await Promise.all([...this.#desks.values()].map(({ last }) => last));
    await Promise.all(alive.map(({ ended }) => ended));
  }

  async #answer(
    desk: Desk,
    asked: Pick<ParseRequest, 'partition' | 'files' | 'partitionDocument'>,
    until: AbortSignal,
  ): Promise<ParsedDocuments> {
    const worker = await this.#workerFor(desk, asked.partition, until).catch(asFailure);
    if (worker === null || until.aborted) return nobodyWaits;
    if ('status' in worker) {
      this.#end(desk);
      return this.#learn(desk, worker);
    }
    const { clock } = this.#runtime;
    const characters = asked.files.reduce((sum, { text }) => sum + text.length, 0);
    this.#lastId += 1;
    const request = { id: this.#lastId, ...asked, answerBytesMax: answerBytesMax(characters) };
    const since = clock.now();
    const answer = await worker.ask(request, parseMsMax(characters), until);
    // Somebody has ended it who needed it out of the way.
    if (isGivenUp(answer) && !until.aborted) return this.#answer(desk, asked, until);
    desk.workedMs += clock.now() - since;
    this.#learn(desk, answer);
    if (worker.isSound && characters <= workerLimits.warmCharactersMax) this.#keep(desk);
    else this.#end(desk);
    return answer;
  }

  /** @returns null: the signal fired first. @throws HostError if it is not known where one may be */
  async #workerFor(
    desk: Desk,
    partition: PartitionName,
    until: AbortSignal,
  ): Promise<Worker | null> {
    if (until.aborted) return null;
    desk.stopWarmth();
    this.#idle.delete(desk);
    if (await this.#isOfUse(desk, partition, until)) return desk.worker;
    this.#end(desk);
    const { clock, timers } = this.#runtime;
    const waitMs = desk.notBeforeMs - clock.now();
    if (waitMs > 0) await timers.sleep(waitMs, until);
    const giveBack = await this.#seats.take(until);
    if (giveBack === null) return null;
    try {
      return await this.#start(desk, partition, giveBack, until);
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** It may have ended since it was used, or been started before its partition had a slice. */
  async #isOfUse(desk: Desk, partition: PartitionName, until: AbortSignal): Promise<boolean> {
    if (desk.worker?.isSound !== true) return false;
    const place = await this.#places.find(partition, until);
    return desk.worker?.isSound && desk.worker.slice === (place?.path ?? null);
  }

  /** Where it is to run is looked up last, and anew if it may be another by now. */
  async #start(
    desk: Desk,
    partition: PartitionName,
    giveBack: () => void,
    until: AbortSignal,
  ): Promise<Worker | null> {
    let place: WorkerPlace | null;
    let closures: number;
    do {
      await desk.gate.opened(until);
      ({ closures } = desk.gate);
      place = await this.#places.find(partition, until);
    } while (closures !== desk.gate.closures);
    if (until.aborted) {
      giveBack();
      return null;
    }
    const worker = new Worker(this.#spawn, partition, place, this.#runtime.timers);
    desk.worker = worker;
    desk.workedMs = 0;
    this.#alive.add(worker);
    void this.#clearAfter(desk, worker, giveBack);
    return worker;
  }

  async #clearAfter(desk: Desk, worker: Worker, giveBack: () => void): Promise<void> {
    await worker.ended;
    this.#alive.delete(worker);
    // It may have ended by itself.
    if (desk.worker === worker) this.#end(desk);
    giveBack();
  }

  #learn(desk: Desk, answer: ParsedDocuments): ParsedDocuments {
    if (answer.status !== 'failed') desk.failures = 0;
    else if (!isGivenUp(answer)) {
      desk.failures += 1;
      const { clock, random } = this.#runtime;
      const delayMs = retryDelayMs(desk.failures, workerLimits.backOff, random());
      desk.notBeforeMs = clock.now() + delayMs;
    }
    return answer;
  }

  #keep(desk: Desk): void {
    if (this.#seats.waiting > 0 || desk.workedMs > workerLimits.workedMsMax) return this.#end(desk);
    this.#idle.add(desk);
    desk.stopWarmth = this.#runtime.timers.after(workerLimits.warmMs, () => this.#end(desk));
  }

  #endLongestIdle(): void {
    const [desk] = this.#idle;
    if (desk !== undefined) this.#end(desk);
  }

  #end(desk: Desk): void {
    desk.stopWarmth();
    this.#idle.delete(desk);
    desk.worker?.end();
    desk.worker = null;
  }

  #deskOf(partition: PartitionName): Desk {
    const known = this.#desks.get(partition);
    if (known !== undefined) return known;
    const desk: Desk = {
      last: Promise.resolve(),
      worker: null,
      workedMs: 0,
      failures: 0,
      notBeforeMs: 0,
      gate: new Gate(),
      stopWarmth: () => undefined,
    };
    this.#desks.set(partition, desk);
    return desk;
  }
}
