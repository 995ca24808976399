/**
 * Which VM has a CID now. A question counts from when it is asked: an answer that was under way already
 * may be of before the connection that it is about. So whoever comes meanwhile shares the next one.
 */
import type { Clock, Timers } from '../daemon/runtime.ts';
import type { VmRuns } from '../host/ports.ts';

export interface WhoRunsOptions {
  /** Those that could be meant, by libvirt's name. */
  readonly candidates: () => readonly string[];
  readonly read: (domainNames: readonly string[], signal: AbortSignal) => Promise<VmRuns>;
  readonly timers: Timers;
  readonly clock: Pick<Clock, 'now'>;
}

/** From one question to the next: whoever knocks does not decide how often libvirt is asked. */
const gapMs = 100;

/** libvirt may be starting a hundred guests. */
const answerMs = 10_000;

type Answer = Promise<VmRuns>;

export class WhoRuns {
  readonly #options: WhoRunsOptions;
  readonly #end = new AbortController();
  #now: Answer | null = null;
  #next: Answer | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: WhoRunsOptions) {
    this.#options = options;
  }

  /** As of some time after this call. Rejects where the host cannot be read. */
  ask(): Answer {
    if (this.#now === null) return this.#begin();
    this.#next ??= this.#now
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#begin();
      });
    return this.#next;
  }

  close(): void {
    this.#end.abort();
  }

  #begin(): Answer {
    const answer = this.#ask().finally(() => {
      if (this.#now === answer) this.#now = null;
    });
    this.#now = answer;
    return answer;
  }

  async #ask(): Answer {
    const { candidates, read, timers, clock } = this.#options;
    const waitMs = this.#askedAt + gapMs - clock.now();
    if (waitMs > 0) await timers.sleep(waitMs, this.#end.signal);
    this.#askedAt = clock.now();
    const late = new AbortController();
    const stop = timers.after(answerMs, () => late.abort());
    try {
      return await read(candidates(), AbortSignal.any([this.#end.signal, late.signal]));
    } finally {
      stop();
    }
  }
}
