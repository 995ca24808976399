/**
 * What a watch told of the names below a folder, in order, so far as it says which files came into
 * place as a whole: a name that was entered and not written to since was put there by a rename or a
 * link. No word of a name is no evidence, as when its folder was not watched yet.
 *
 * Times of files were rejected for this: a file that is renamed within a few milliseconds of its last
 * write has the same ones as a file of which the first half was just written.
 */
import type { Clock, FileSign, NameSign } from '../runtime.ts';

/** Places in the order of signs, from 1; 0: never. */
interface Name {
  readonly enteredAt: number;
  readonly writtenAt: number;
  readonly heardMs: number;
}

/** Then all is forgotten: what came just now waits until it has settled. */
const namesMax = 20_000;

export class Arrivals {
  readonly #clock: Clock;
  readonly #names = new Map<string, Name>();
  #signs = 0;
  #swappedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(sign: FileSign, name: NameSign | undefined): void {
    if (sign === 'lost') return this.forget();
    if (name === undefined) return;
    // It is told late: it was so when the name was entered.
    if (sign === 'swapped') this.#swappedAt = this.#names.get(name.path)?.enteredAt ?? 0;
    else this.#hear(name);
  }

  /**
   * @param names by which a file is reached: links, and the last of all its own
   * @param isElsewhere it was reached, and is in another place now
   */
  isWhole(names: readonly string[], isElsewhere: boolean): boolean {
    const entered = names.map((name) => this.#names.get(name)?.enteredAt ?? 0);
    const last = Math.max(...entered, isElsewhere ? this.#swappedAt : 0);
    return last > (this.#names.get(names.at(-1) ?? '')?.writtenAt ?? 0);
  }

  /** What was told longer ago than that. */
  forgetBefore(ageMs: number): void {
    const until = this.#clock.now() - ageMs;
    for (const [path, { heardMs }] of this.#names) {
      if (heardMs < until) this.#names.delete(path);
    }
  }

  forget(): void {
    this.#names.clear();
    this.#swappedAt = 0;
  }

  #hear({ path, change }: NameSign): void {
    if (this.#names.size >= namesMax) this.forget();
    this.#signs += 1;
    const before = this.#names.get(path);
    this.#names.set(path, {
      enteredAt: change === 'entered' ? this.#signs : (before?.enteredAt ?? 0),
      writtenAt: change === 'written' ? this.#signs : (before?.writtenAt ?? 0),
      heardMs: this.#clock.now(),
    });
  }
}
