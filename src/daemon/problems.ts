/** Mistakes in the operator's own files, each told once for as long as it is there. */
import type { Emit } from '../report/event.ts';
import type { PartitionProblem } from './sources/partition-file.ts';

export class Problems {
  readonly #emit: Emit;
  #told: ReadonlySet<string> = new Set();
  #now: readonly PartitionProblem[] = [];

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  get now(): readonly PartitionProblem[] {
    return this.#now;
  }

  /** All that there are by now. */
  tell(problems: readonly PartitionProblem[]): void {
    this.#now = problems;
    const now = new Set<string>();
    for (const { file, code, message } of problems) {
      // Of what is wrong inside a file the message names the place itself.
      const text = file === '' || message.startsWith(`${file}:`) ? message : `${file}: ${message}`;
      const key = `${code} ${text}`;
      now.add(key);
      if (!this.#told.has(key)) this.#emit({ kind: 'config-problem', code, message: text });
    }
    this.#told = now;
  }
}
