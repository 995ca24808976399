/**
 * Progress of an apply. Finished operations become lines that stay. On a terminal one more line
 * shows what is under way and for how long; elsewhere nothing ever moves.
 */
import type { Outcome } from '../execute/outcome.ts';
import { describe } from '../plan/describe.ts';
import type { Operation, OperationId } from '../plan/operation.ts';
import type { Output } from './environment.ts';
import { MovingLine } from './moving-line.ts';
import { formatDuration, renderOutcome, subjectOf } from './render/outcomes.ts';
import type { Paint } from './render/paint.ts';

export class Progress {
  readonly #line: MovingLine;
  readonly #paint: Paint;
  readonly #now: () => number;
  readonly #running = new Map<OperationId, { operation: Operation; sinceMs: number }>();

  constructor(output: Output, paint: Paint, now: () => number) {
    this.#line = new MovingLine(output, paint, () => this.#underWay());
    this.#paint = paint;
    this.#now = now;
  }

  started(operation: Operation): void {
    this.#running.set(operation.id, { operation, sinceMs: this.#now() });
  }

  finished(outcome: Outcome): void {
    this.#running.delete(outcome.operation.id);
    this.#line.print(renderOutcome(outcome, this.#paint));
  }

  /** A line about the whole of it, which may go elsewhere than progress does. */
  aside(to: Output, text: string): void {
    this.#line.print(text, to);
  }

  end(): void {
    this.#line.end();
  }

  #underWay(): string | null {
    const [oldest] = this.#running.values();
    if (oldest === undefined) return null;
    const { operation, sinceMs } = oldest;
    const others = this.#running.size - 1;
    const more = others > 0 ? ` and ${others} more` : '';
    return `${subjectOf(operation)} ${describe(operation)}, ${formatDuration(this.#now() - sinceMs)}${more}`;
  }
}
