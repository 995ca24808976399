/**
 * When a partition's next pass is. Whatever wakes the loop is only a reason to look again: reasons
 * that come together are one look, one pass runs at a time, and one that comes during a pass means
 * another after it. A partition that is woken all the time works at most half of it.
 */
import { explainError } from '../host/host-error.ts';
import type { WakeReason } from '../report/event.ts';
import { Pace } from './pace.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';

export interface Turned {
  /** Whether the world is another than it was: then it is looked at again. */
  readonly changed: boolean;
  /** When to look again without anything happening, and why. */
  readonly next: { readonly afterMs: number; readonly because: WakeReason };
}

export interface LoopOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>;
  readonly slots: Slots;
  /** @param release gives the slot to others: what is left is mostly waiting */
  readonly turn: (
    because: readonly WakeReason[],
    stop: AbortSignal,
    release: () => void,
  ) => Promise<Turned>;
  /** A turn never rejects, but for a bug. */
  readonly onBug: (message: string) => void;
}

/** People are waiting for what comes of these. */
const urgent: ReadonlySet<WakeReason> = new Set([
  'started',
  'documents',
  'request',
  'partition',
  'host-fit',
]);

const bugMs = 60_000;

export class Loop {
  readonly #options: LoopOptions;
  readonly #stop = new AbortController();
  readonly #reasons = new Set<WakeReason>();
  #cancelTimer: () => void = () => undefined;
  #running: Promise<void> | null = null;
  readonly #pace = new Pace();

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  wake(because: WakeReason): void {
    if (this.#stop.signal.aborted) return;
    this.#reasons.add(because);
    if (this.#running === null) this.#schedule();
  }

  /** Begins nothing more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancelTimer();
    await this.#running;
  }

  #schedule(): void {
    const { clock, timers } = this.#options.runtime;
    const nowMs = clock.now();
    const waitMs = this.#pace.notBeforeMs(this.#isUrgent(), nowMs) - nowMs;
    this.#cancelTimer();
    if (waitMs > 0) this.#cancelTimer = timers.after(waitMs, () => this.#run());
    else this.#run();
  }

  #isUrgent(): boolean {
    return [...this.#reasons].some((reason) => urgent.has(reason));
  }

  #run(): void {
    if (this.#running !== null || this.#stop.signal.aborted) return;
    this.#running = this.#pass();
  }

  async #pass(): Promise<void> {
    const next = await this.#once();
    this.#running = null;
    if (this.#stop.signal.aborted) return;
    if (this.#reasons.size > 0) this.#schedule();
    else this.#sleep(next);
  }

  async #once(): Promise<Turned['next']> {
    const { slots, turn, onBug, runtime } = this.#options;
    const giveBack = await slots.take(this.#stop.signal);
    if (giveBack === null) return { afterMs: bugMs, because: 'retry' };
    const startedMs = runtime.clock.now();
    // What comes while a slot was waited for is part of this pass; what comes from here on is not.
    const because = [...this.#reasons];
    this.#pace.began(this.#isUrgent(), startedMs);
    this.#reasons.clear();
    let changed = false;
    try {
      const turned = await turn(because, this.#stop.signal, giveBack);
      changed = turned.changed;
      if (changed) this.#reasons.add('verify');
      return turned.next;
    } catch (error) {
      onBug(explainError(error));
      return { afterMs: bugMs, because: 'retry' };
    } finally {
      this.#pace.ended(startedMs, runtime.clock.now(), changed);
      giveBack();
    }
  }

  #sleep({ afterMs, because }: Turned['next']): void {
    this.#cancelTimer = this.#options.runtime.timers.after(afterMs, () => this.wake(because));
  }
}
