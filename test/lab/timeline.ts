/** What happens in the lab, as it happens: one line each, with the seconds since it began. */
export class Timeline {
  readonly #startedMs = performance.now();
  readonly #write: (text: string) => void;
  #last = '';

  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write;
  }

  /** Since it began. */
  get ms(): number {
    return performance.now() - this.#startedMs;
  }

  /** What was told last, of whatever kind. */
  get last(): string {
    return this.#last;
  }

  chapter(text: string): void {
    this.#write(`\n== ${text}\n`);
  }

  /** Something that is done to the lab. */
  does(text: string): void {
    this.#line(' ', text);
  }

  /** Something that was claimed, and is so. */
  holds(text: string): void {
    this.#line('✓', text);
  }

  /** Something that was printed in the lab. */
  prints(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.#write(`            | ${line}\n`);
  }

  #line(mark: string, text: string): void {
    this.#last = text;
    const seconds = (this.ms / 1000).toFixed(1).padStart(6);
    this.#write(`${seconds} s  ${mark} ${text}\n`);
  }
}
