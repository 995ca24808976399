/** Mistakes of the operator's, each told once for as long as it is there. */
import type { Emit } from '../report/event.ts';
import type { HostProblem } from './host-words.ts';
import type { PartitionProblem } from './sources/partition-file.ts';

type Problem = PartitionProblem | HostProblem;

/** `folder`: the files themselves. `host`: they do not fit the host together. */
type ProblemSource = 'folder' | 'host';

export class Problems {
  readonly #emit: Emit;
  #told: ReadonlySet<string> = new Set();
  readonly #found = new Map<ProblemSource, readonly Problem[]>();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  get now(): readonly Problem[] {
    return [...this.#found.values()].flat();
  }

  /** All that there are by now, of one source. */
  tell(source: ProblemSource, problems: readonly Problem[]): void {
    this.#found.set(source, problems);
    const now = new Set<string>();
    for (const { file, code, message } of this.now) {
      // Of what is wrong inside a file the message names the place itself.
      const text = file === '' || message.startsWith(`${file}:`) ? message : `${file}: ${message}`;
      const key = `${code} ${text}`;
      now.add(key);
      if (!this.#told.has(key)) this.#emit({ kind: 'config-problem', code, message: text });
    }
    this.#told = now;
  }
}
