/**
 * How many bundles may be under way. A slot is held by the connection, whose body takes memory, and
 * by the daemon's work on it, which goes on when the connection is gone: by whichever is longer.
 */
import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';

export class SubmissionSlots {
  /** How many still hold each slot. */
  readonly #holders = new Map<IncomingMessage, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns whether there was one */
  take(request: IncomingMessage, exchange: Exchange): boolean {
    if (this.#holders.size >= this.#max) return false;
    this.#hold(request);
    exchange.whenOver(() => this.#release(request));
    return true;
  }

  /** Of a request that has taken none, nothing is held. */
  holdUntil(request: IncomingMessage, answered: Promise<unknown>): void {
    if (!this.#holders.has(request)) return;
    this.#hold(request);
    const release = () => this.#release(request);
    void answered.then(release, release);
  }

  #hold(request: IncomingMessage): void {
    this.#holders.set(request, (this.#holders.get(request) ?? 0) + 1);
  }

  #release(request: IncomingMessage): void {
    const left = (this.#holders.get(request) ?? 0) - 1;
    if (left > 0) this.#holders.set(request, left);
    else this.#holders.delete(request);
  }
}
