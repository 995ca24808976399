/**
 * The process that reads documents, as the daemon sees it: bytes in, bytes out, an end. Whatever
 * comes out of it is hostile. `machine/` starts the real one.
 */
import type { WorkerPlace } from '../host/worker-places.ts';
import type { PartitionName } from '../model/names.ts';

export type WorkerEnd =
  /** It never ran. @see ParserFailureCode `Unavailable` */
  | { readonly kind: 'not-started'; readonly message: string }
  /** It was not brought to where it was to run, and so was ended. @see ParserFailureCode `Outside` */
  | { readonly kind: 'not-placed'; readonly message: string }
  /**
   * @param how such as `with exit code 1`, `by SIGKILL`
   * @param complaint what it wrote to standard error: cut short, and as hostile as the rest
   */
  | { readonly kind: 'ended'; readonly how: string; readonly complaint: string };

export interface WorkerListener {
  readonly onData: (chunk: Uint8Array) => void;
  /** Exactly once, and last: nothing of it is left then. */
  readonly onEnd: (end: WorkerEnd) => void;
}

export interface WorkerProcess {
  /** What cannot be written is lost; an end follows. */
  readonly send: (bytes: Uint8Array) => void;
  /** At once and without asking it; of one that has ended nothing is done. */
  readonly kill: () => void;
}

/**
 * Never throws, and calls back only after it has returned.
 * @param partition whose documents it is to read
 * @param place where it runs, from before it reads anything; null: where the daemon does
 */
export type SpawnWorker = (
  partition: PartitionName,
  place: WorkerPlace | null,
  listener: WorkerListener,
) => WorkerProcess;
