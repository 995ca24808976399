/**
 * One request and its answer, until both are done with: how long its body may take to come, and how
 * long somebody may take to read what is said. Only one of the two is ever waited for.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Timers } from '../daemon/runtime.ts';
import { channelLimits } from './limits.ts';

export class Exchange {
  readonly #response: ServerResponse;
  readonly #timers: Timers;
  readonly #onLate: () => void;
  readonly #whenOver = new Set<() => void>();
  #stopWait: (() => void) | null = null;
  /** More requests came than may in that time. */
  isTooFast = false;
  #isAwaitingReader = false;
  #isOver = false;

  /** @param onLate the other side has had its time */
  constructor(response: ServerResponse, timers: Timers, onLate: () => void) {
    this.#response = response;
    this.#timers = timers;
    this.#onLate = onLate;
  }

  /** What was said and has not left this process. */
  get unreadBytes(): number {
    return this.#response.writableLength;
  }

  /** Whether a body was read is the route's affair; here it only has to have come. */
  awaitBody(request: IncomingMessage): void {
    this.#wait(channelLimits.bodyMs, () => {
      if (!request.complete) this.#onLate();
    });
  }

  /** From the first unread byte on: what comes later does not begin it anew. */
  awaitReader(): void {
    if (this.#isAwaitingReader) return;
    this.#wait(channelLimits.drainMs, this.#onLate);
    this.#isAwaitingReader = true;
  }

  /** All that was said so far is read. */
  readerIsBack(): void {
    this.#stopWaiting();
  }

  /** Calls back once, also when it is over already. */
  whenOver(act: () => void): void {
    if (this.#isOver) act();
    else this.#whenOver.add(act);
  }

  /** Fires when nobody waits for the answer any more. */
  get over(): AbortSignal {
    const over = new AbortController();
    this.whenOver(() => over.abort());
    return over.signal;
  }

  end(): void {
    this.#isOver = true;
    this.#stopWaiting();
    for (const act of this.#whenOver) act();
    this.#whenOver.clear();
  }

  #wait(ms: number, act: () => void): void {
    this.#stopWaiting();
    if (this.#isOver) return;
    this.#stopWait = this.#timers.after(ms, () => {
      this.#stopWaiting();
      act();
    });
  }

  #stopWaiting(): void {
    this.#stopWait?.();
    this.#stopWait = null;
    this.#isAwaitingReader = false;
  }
}
