/**
 * How soon a partition may be looked at again. What hosts and guests do may wake it as often as they
 * like, so that they do not decide what its passes cost: a few at once, then one every two seconds.
 * Where each pass finds something to do, somebody seems to undo it, and the waits grow. People who
 * wait for something are only kept from taking more than half of the time.
 */
const burst = 10;
const refillMs = 2000;
/** Passes in a row that each had something to do. */
const changesMax = 5;
const fightMsMax = 60_000;
/** A pass that takes longer mostly waits for guests. */
const gapMsMax = 1000;

export class Pace {
  #endedMs = Number.NEGATIVE_INFINITY;
  #lastedMs = 0;
  #changesInARow = 0;
  #credit = burst;
  #creditAtMs = 0;

  /** When the next pass may begin; monotonic. */
  notBeforeMs(isUrgent: boolean, nowMs: number): number {
    const halfMs = this.#endedMs + this.#lastedMs;
    if (isUrgent) return halfMs;
    return Math.max(halfMs, this.#endedMs + this.#fightMs(), this.#creditMs(nowMs));
  }

  began(isUrgent: boolean, nowMs: number): void {
    if (isUrgent) return;
    this.#credit = Math.max(0, this.#creditBy(nowMs) - 1);
    this.#creditAtMs = nowMs;
  }

  ended(startedMs: number, nowMs: number, changed: boolean): void {
    this.#endedMs = nowMs;
    this.#lastedMs = Math.min(gapMsMax, nowMs - startedMs);
    this.#changesInARow = changed ? this.#changesInARow + 1 : 0;
  }

  #fightMs(): number {
    const fights = this.#changesInARow - changesMax;
    return fights < 0 ? 0 : Math.min(fightMsMax, 1000 * 2 ** fights);
  }

  #creditBy(nowMs: number): number {
    return Math.min(burst, this.#credit + (nowMs - this.#creditAtMs) / refillMs);
  }

  #creditMs(nowMs: number): number {
    const missing = 1 - this.#creditBy(nowMs);
    return missing <= 0 ? nowMs : nowMs + missing * refillMs;
  }
}
