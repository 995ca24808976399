/**
 * On a terminal: one line below the others that says what is under way, drawn again and again.
 * Elsewhere nothing ever moves, and only the lines that stay are written.
 */
import type { Output } from './environment.ts';
import type { Paint } from './render/paint.ts';

const redrawMs = 200;
const clearLine = '\r\u001b[2K';

export class MovingLine {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #text: () => string | null;
  readonly #timer: NodeJS.Timeout | null;

  /** @param text what is under way, in plain words; null: nothing */
  constructor(output: Output, paint: Paint, text: () => string | null) {
    this.#output = output;
    this.#paint = paint;
    this.#text = text;
    this.#timer = output.isTerminal ? setInterval(() => this.#draw(), redrawMs) : null;
  }

  /** A line that stays; it may go elsewhere than the moving one. */
  print(line: string, to: Output = this.#output): void {
    this.#erase();
    to.write(`${line}\n`);
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#erase();
  }

  #erase(): void {
    if (this.#timer !== null) this.#output.write(clearLine);
  }

  #draw(): void {
    const text = this.#text();
    if (text === null) return;
    const line = `  … ${text}`.slice(0, this.#output.columns - 1);
    this.#output.write(`${clearLine}${this.#paint.dim(line)}`);
  }
}
