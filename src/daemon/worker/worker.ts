/**
 * One worker process and the one request that it may have at a time. Whatever is not the answer to
 * that request, in time, is the end of it: a process that is not what it should be is not argued
 * with.
 */
import type { ParsedDocuments, ParserFailureCode } from '../parser.ts';
import type { Timers } from '../runtime.ts';
import type { WorkerPlace } from '../../host/worker-places.ts';
import type { SpawnWorker, WorkerEnd, WorkerProcess } from '../worker-process.ts';
import { checkedAnswer } from './checked-answer.ts';
import { FrameReader, frameOf } from './frames.ts';
import { workerLimits } from './limits.ts';
import type { ParseRequest } from './protocol.ts';
import { tame } from './tame.ts';

type Failure = Extract<ParsedDocuments, { status: 'failed' }>;

interface Asked {
  readonly request: ParseRequest;
  readonly reader: FrameReader;
  readonly settle: (answer: ParsedDocuments) => void;
}

export function failure(code: ParserFailureCode, message: string): Failure {
  return { status: 'failed', code, message };
}

export class Worker {
  /** Resolves when nothing of it is left, or nothing more can be done about it. Never rejects. */
  readonly ended: Promise<void>;
  /** Of the slice that it runs in; null: in none. */
  readonly slice: string | null;
  readonly #timers: Timers;
  readonly #process: WorkerProcess;
  #asked: Asked | null = null;
  #hasAnswered = false;
  #broken: Failure | null = null;
  #onEnded: () => void = () => undefined;

  constructor(
    spawn: SpawnWorker,
    partition: ParseRequest['partition'],
    place: WorkerPlace | null,
    timers: Timers,
  ) {
    this.slice = place?.path ?? null;
    this.#timers = timers;
    this.ended = new Promise((resolve) => (this.#onEnded = resolve));
    this.#process = spawn(partition, place, {
      onData: (chunk) => this.#take(chunk),
      onEnd: (end) => {
        this.#break(failureOf(end));
        this.#onEnded();
      },
    });
  }

  /** Whether it may be asked again. */
  get isSound(): boolean {
    return this.#broken === null;
  }

  /**
   * One request at a time. Never rejects. An answer that is a failure is its end.
   * @param parseMsMax once it has been started
   */
  async ask(
    request: ParseRequest,
    parseMsMax: number,
    signal: AbortSignal,
  ): Promise<ParsedDocuments> {
    const giveUp = () => this.#kill(failure('GivenUp', 'nobody waits for the answer any more'));
    if (signal.aborted) giveUp();
    if (this.#broken !== null) return this.#broken;
    const timeMsMax = parseMsMax + (this.#hasAnswered ? 0 : workerLimits.startMsMax);
    const hung = () => this.#kill(failure('Hung', `there was no answer after ${timeMsMax} ms`));
    const stopTimer = this.#timers.after(timeMsMax, hung);
    signal.addEventListener('abort', giveUp);
    try {
      return await new Promise<ParsedDocuments>((settle) => {
        this.#asked = { request, reader: new FrameReader(request.answerBytesMax), settle };
        this.#process.send(frameOf(request));
      });
    } finally {
      stopTimer();
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Of one that is not needed any more. */
  end(): void {
    this.#kill(failure('GivenUp', 'the worker was ended'));
  }

  #take(chunk: Uint8Array): void {
    const asked = this.#asked;
    if (this.#broken !== null) return;
    if (asked === null) return this.#kill(failure('Forged', 'it answered without a question'));
    const frames = asked.reader.take(chunk);
    if (frames === null) {
      const { answerBytesMax } = asked.request;
      return this.#kill(failure('Oversized', `the answer is more than ${answerBytesMax} bytes`));
    }
    const [frame, ...more] = frames;
    if (frame === undefined) return;
    const answer = checkedAnswer(frame, asked.request);
    if (answer === null || more.length > 0 || asked.reader.isInside) {
      return this.#kill(failure('Forged', 'the answer is not one to what was asked'));
    }
    this.#asked = null;
    this.#hasAnswered = true;
    asked.settle(answer);
  }

  #kill(why: Failure): void {
    if (this.#broken !== null) return;
    this.#break(why);
    this.#process.kill();
    // What the kernel cannot end now is not waited for for ever.
    this.#timers.after(workerLimits.killGraceMs, this.#onEnded);
  }

  #break(why: Failure): void {
    this.#broken ??= why;
    const asked = this.#asked;
    this.#asked = null;
    asked?.settle(this.#broken);
  }
}

const complaintCharactersMax = 300;

function failureOf(end: WorkerEnd): Failure {
  switch (end.kind) {
    case 'not-started':
      return failure('Unavailable', tame(end.message, complaintCharactersMax));
    case 'not-placed':
      return failure('Outside', tame(end.message, complaintCharactersMax));
    case 'ended': {
      const complaint = tame(end.complaint.replace(/\s+/g, ' '), complaintCharactersMax).trim();
      const words = complaint === '' ? '' : `: ${complaint}`;
      return failure('Died', `the worker ended ${end.how}${words}`);
    }
  }
}
