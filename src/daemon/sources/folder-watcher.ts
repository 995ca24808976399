/**
 * Looks at a folder whenever it may have changed: soon after a change that comes alone, and at a
 * growing distance while changes keep coming, so that whoever writes there all the time costs little.
 * A folder that goes, or is not there yet, is waited for. One look at a time; what happens during one
 * is seen by the next.
 */
import {
  FileError,
  type FileSign,
  type FileWatch,
  type NameSign,
  type Runtime,
} from '../runtime.ts';

export interface WatcherListener {
  /**
   * Must not reject. @param whole since the last look another folder was put in the place of this
   * one, and nothing has changed since then
   * @returns `again` if it has to be looked at once more, since it could not be seen at rest
   */
  look(whole: boolean): Promise<'done' | 'again'>;
  /** It is not there, or cannot be watched: said once for as long as that is so. */
  onUnwatched(error: FileError): void;
  /** Each sign, as it comes, before it is looked at what it is of. */
  onSign?(sign: FileSign, name: NameSign | undefined): void;
}

/** What belongs together comes within this: opening a file to write empties it first. */
const togetherMs = 5;
/** After this long without a sign, the next one is looked at without delay. */
const quietMs = 500;
const firstGapMs = 10;
const gapMsMax = 1000;
/** Of the time that looks may take. */
const shareOfTime = 1 / 5;
/** How often a folder that cannot be watched is looked for. */
const lookAgainMs = 1000;

export class FolderWatcher {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #listener: WatcherListener;
  readonly #closing = new AbortController();
  #watch: FileWatch | null = null;
  /** Of the watch whose signs count. */
  #watchNumber = 0;
  #saidUnwatched = '';
  #isWhole = false;
  #isLooking = false;
  #isAsked = false;
  #gapMs = 0;
  #lastAskedAt = -Infinity;
  #lastLookAt = -Infinity;
  #stopWaiting: (() => void) | null = null;
  #stopLater: (() => void) | null = null;

  constructor(runtime: Runtime, folder: string, listener: WatcherListener) {
    this.#runtime = runtime;
    this.#folder = folder;
    this.#listener = listener;
  }

  start(): void {
    void this.#watchUntilWatched();
  }

  /** Soon: as after a sign. */
  ask(): void {
    if (this.#closing.signal.aborted) return;
    const now = this.#runtime.clock.now();
    if (now - this.#lastAskedAt > quietMs) this.#gapMs = 0;
    this.#lastAskedAt = now;
    this.#isAsked = true;
    if (this.#isLooking || this.#stopWaiting !== null) return;
    const waitMs = Math.max(togetherMs, this.#lastLookAt + this.#gapMs - now);
    this.#stopWaiting = this.#runtime.timers.after(waitMs, () => {
      this.#stopWaiting = null;
      void this.#look();
    });
  }

  /** In a while, whatever happens; instead of what was asked for so before. */
  askAfter(ms: number): void {
    this.#stopLater?.();
    this.#stopLater = this.#runtime.timers.after(Math.max(0, ms), () => this.ask());
  }

  /** Nothing is called any more from here on. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopWaiting?.();
    this.#stopLater?.();
    await this.#unwatch();
  }

  async #unwatch(): Promise<void> {
    const watch = this.#watch;
    this.#watch = null;
    this.#watchNumber += 1;
    await watch?.close();
  }

  async #look(): Promise<void> {
    const { clock } = this.#runtime;
    const startedAt = clock.now();
    const whole = this.#isWhole;
    this.#isWhole = false;
    this.#isAsked = false;
    this.#isLooking = true;
    let result: 'done' | 'again' = 'done';
    try {
      result = await this.#listener.look(whole);
    } finally {
      this.#isLooking = false;
      this.#lastLookAt = clock.now();
      const grownMs = Math.min(Math.max(firstGapMs, 2 * this.#gapMs), gapMsMax);
      this.#gapMs = Math.max(grownMs, (this.#lastLookAt - startedAt) * (1 / shareOfTime - 1));
    }
    if (result === 'again' || this.#isAsked) this.ask();
  }

  #onSign(sign: FileSign, name: NameSign | undefined): void {
    this.#listener.onSign?.(sign, name);
    switch (sign) {
      case 'swapped':
        // Of a link below it nothing follows for what is beside it.
        this.#isWhole = name === undefined;
        return this.ask();
      case 'changed':
        this.#isWhole = false;
        return this.ask();
      case 'lost':
        this.#isWhole = false;
        void this.#unwatch();
        void this.#watchUntilWatched();
    }
  }

  async #watchUntilWatched(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const error = await this.#tryToWatch();
      if (signal.aborted) return;
      if (error === null) {
        this.#saidUnwatched = '';
        return this.ask();
      }
      this.#sayUnwatched(error);
      // It may be there all the same, and then it is looked at now and then.
      if (error.code !== 'Missing') this.ask();
      await this.#runtime.timers.sleep(lookAgainMs, signal);
    }
  }

  async #tryToWatch(): Promise<FileError | null> {
    this.#watchNumber += 1;
    const number = this.#watchNumber;
    try {
      const watch = await this.#runtime.files.watch(this.#folder, (sign, name) => {
        if (number === this.#watchNumber && !this.#closing.signal.aborted) this.#onSign(sign, name);
      });
      // Closed, or lost, before it was armed.
      if (number === this.#watchNumber) this.#watch = watch;
      else await watch.close();
      return null;
    } catch (error) {
      if (error instanceof FileError) return error;
      throw error;
    }
  }

  #sayUnwatched(error: FileError): void {
    const said = `${error.code} ${error.message}`;
    if (said === this.#saidUnwatched) return;
    this.#saidUnwatched = said;
    this.#listener.onUnwatched(error);
  }
}
