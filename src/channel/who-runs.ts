/**
 * Which VM has a CID now. A question counts from when it is asked: an answer that was under way already
 * may be of before the connection that it is about. So whoever comes meanwhile shares the next one.
 */
import type { Timers } from '../daemon/runtime.ts';
import type { VmRun } from '../model/vm-run.ts';

export interface WhoRunsOptions {
  /** Those that could be meant, by libvirt's name. */
  readonly candidates: () => readonly string[];
  readonly read: (domainNames: readonly string[], signal: AbortSignal) => Promise<readonly VmRun[]>;
  readonly timers: Timers;
}

/** libvirt may be starting a hundred guests. */
const answerMs = 10_000;

type Answer = Promise<readonly VmRun[]>;

export class WhoRuns {
  readonly #options: WhoRunsOptions;
  readonly #end = new AbortController();
  #now: Answer | null = null;
  #next: Answer | null = null;

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
    const { candidates, read, timers } = this.#options;
    const late = new AbortController();
    const stop = timers.after(answerMs, () => late.abort());
    const signal = AbortSignal.any([this.#end.signal, late.signal]);
    const answer = read(candidates(), signal).finally(() => {
      stop();
      if (this.#now === answer) this.#now = null;
    });
    this.#now = answer;
    return answer;
  }
}
