/**
 * Progress of an apply. Finished operations become lines that stay. On a terminal one more line
 * shows what is under way and for how long; elsewhere nothing ever moves.
 */
import type { Outcome } from '../execute/outcome.ts';
import { describe } from '../plan/describe.ts';
import type { Operation, OperationId } from '../plan/operation.ts';
import type { Output } from './environment.ts';
import { formatDuration, renderOutcome, subjectOf } from './render/outcomes.ts';
import type { Paint } from './render/paint.ts';

const redrawMs = 200;
const clearLine = '\r\u001b[2K';

export class Progress {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #now: () => number;
  readonly #running = new Map<OperationId, { operation: Operation; sinceMs: number }>();
  readonly #timer: NodeJS.Timeout | null;

  constructor(output: Output, paint: Paint, now: () => number) {
    this.#output = output;
    this.#paint = paint;
    this.#now = now;
    this.#timer = output.isTerminal ? setInterval(() => this.#draw(), redrawMs) : null;
  }

  started(operation: Operation): void {
    this.#running.set(operation.id, { operation, sinceMs: this.#now() });
  }

  finished(outcome: Outcome): void {
    this.#running.delete(outcome.operation.id);
    this.#erase();
    this.#output.write(`${renderOutcome(outcome, this.#paint)}\n`);
  }

  /** A line about the whole of it, which may go elsewhere than progress does. */
  aside(to: Output, text: string): void {
    this.#erase();
    to.write(`${text}\n`);
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#erase();
  }

  #erase(): void {
    if (this.#timer !== null) this.#output.write(clearLine);
  }

  #draw(): void {
    const [oldest] = this.#running.values();
    if (oldest === undefined) return;
    const { operation, sinceMs } = oldest;
    const others = this.#running.size - 1;
    const more = others > 0 ? ` and ${others} more` : '';
    const text = `  … ${subjectOf(operation)} ${describe(operation)}, ${formatDuration(this.#now() - sinceMs)}${more}`;
    this.#output.write(`${clearLine}${this.#paint.dim(text.slice(0, this.#output.columns - 1))}`);
  }
}
