import type { Timers } from '../../../src/libvirt/timers.ts';

/** Timers that go off when a test says so, in order of time. */
export class ManualTimers implements Timers {
  readonly #pending = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  #nowMs = 0;
  #next = 0;

  setTimeout(run: () => void, delayMs: number): unknown {
    this.#next += 1;
    this.#pending.set(this.#next, { atMs: this.#nowMs + delayMs, run });
    return this.#next;
  }

  clearTimeout(timer: unknown): void {
    this.#pending.delete(timer as number);
  }

  random(): number {
    return 0;
  }

  /** Delays of the timers that are set, shortest first. */
  get delaysMs(): readonly number[] {
    return [...this.#pending.values()].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Lets time pass; timers set on the way go off too if they fall within it. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#pending].filter(([, { atMs }]) => atMs <= untilMs);
      const [first] = due.sort(([, a], [, b]) => a.atMs - b.atMs);
      if (first === undefined) break;
      this.#pending.delete(first[0]);
      this.#nowMs = first[1].atMs;
      first[1].run();
    }
    this.#nowMs = untilMs;
  }
}
