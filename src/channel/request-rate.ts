/** How many requests somebody may send: so many at once, and so many a second in the long run. */
import type { Clock } from '../daemon/runtime.ts';
import type { Rate } from './limits.ts';

export class RequestRate {
  readonly #rate: Rate | null;
  readonly #clock: Pick<Clock, 'now'>;
  /** What is left to be used at once. */
  #left: number;
  #at: number;

  constructor(rate: Rate | null, clock: Pick<Clock, 'now'>) {
    this.#rate = rate;
    this.#clock = clock;
    this.#left = rate?.burst ?? 0;
    this.#at = clock.now();
  }

  /** @returns whether one more may be */
  take(): boolean {
    if (this.#rate === null) return true;
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
