/**
 * What is remembered between passes. A pass works on what was remembered at its beginning: what is
 * forgiven while it is under way stays forgiven after it.
 */
import type { Resource } from '../model/resource.ts';
import type { FailureFacts } from '../report/partition-report.ts';
import { forgiving, nothingRemembered, type TurnMemory } from './turn.ts';

export class Remembered {
  #memory: TurnMemory = nothingRemembered;
  /** Null: everybody. */
  readonly #forgivenMeanwhile = new Set<Resource | null>();

  get memory(): TurnMemory {
    return this.#memory;
  }

  /** By `resourceKey`. */
  get failures(): ReadonlyMap<string, FailureFacts> {
    return new Map(
      [...this.#memory.failures].map(([key, { message, nextTryMs }]) => [
        key,
        { message, gaveUp: nextTryMs === null },
      ]),
    );
  }

  passBegins(): void {
    this.#forgivenMeanwhile.clear();
  }

  /** What a pass leaves. */
  keep(memory: TurnMemory): void {
    let left = memory;
    for (const what of this.#forgivenMeanwhile) left = forgiving(left, what);
    this.#memory = left;
  }

  /** @param what null: everybody, and everything that has failed */
  forgive(what: Resource | null): void {
    this.#forgivenMeanwhile.add(what);
    this.#memory = forgiving(this.#memory, what);
  }
}
