/**
 * Which of a folder's files may be acted on while somebody may still be writing there: those that
 * came into place as a whole, and those that have not changed for a while. The first half of a file
 * may be valid and mean something else. The machine's clock, which may jump, is asked only about
 * files that were there before anybody looked.
 */
import type { Clock } from '../runtime.ts';
import { Arrivals } from './arrivals.ts';
import type { FoundFile } from './read-folder.ts';

interface KnownFile {
  readonly key: string;
  /** Where it really is. */
  readonly place: string;
  /** When the first read that saw it so was over. */
  readonly since: number;
  readonly isSettled: boolean;
}

export class Settling {
  readonly arrivals: Arrivals;
  readonly #clock: Clock;
  readonly #settleMs: number;
  #known: ReadonlyMap<string, KnownFile> | null = null;

  constructor(clock: Clock, settleMs: number) {
    this.arrivals = new Arrivals(clock);
    this.#clock = clock;
    this.#settleMs = settleMs;
  }

  /**
   * Those of a read that may be acted on.
   * @param startedAt when the read began
   */
  settled(files: readonly FoundFile[], startedAt: number): readonly FoundFile[] {
    const now = this.#clock.now();
    const known = new Map<string, KnownFile>();
    for (const file of files) {
      const place = file.names.at(-1) ?? '';
      const before = this.#sameBefore(file, place);
      const since = before?.since ?? now;
      const isSettled =
        before?.isSettled === true ||
        startedAt - since >= this.#settleMs ||
        this.#isOldOrWhole(file, place);
      known.set(file.path, { key: file.key, place, since, isSettled });
    }
    this.#known = known;
    this.arrivals.forgetBefore(this.#settleMs);
    return files.filter(({ path }) => known.get(path)?.isSettled === true);
  }

  #sameBefore({ path, key }: FoundFile, place: string): KnownFile | null {
    const before = this.#known?.get(path);
    return before?.key === key && before.place === place ? before : null;
  }

  #isOldOrWhole({ path, names, changedAt }: FoundFile, place: string): boolean {
    if (this.#known === null && this.#clock.wall() - changedAt >= this.#settleMs) return true;
    const before = this.#known?.get(path);
    const isElsewhere = before === undefined ? names.length > 1 : before.place !== place;
    return this.arrivals.isWhole(names, isElsewhere);
  }
}
