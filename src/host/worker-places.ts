/**
 * Where a partition's worker runs: in the partition's slice, so that the partition pays for having
 * its own documents read. Asked by the daemon that starts it, never by the worker.
 */
import type { PartitionName } from '../model/names.ts';

/** One place for one worker. */
export interface WorkerPlace {
  /** Of the slice, such as `/unnest/p0123456789ab`. */
  readonly path: string;
  /**
   * What runs a command there from its first moment on, as its arguments stand in front of it; null:
   * there is no such program, and `enter` does it all.
   */
  readonly launcher: { readonly program: string; readonly args: readonly string[] } | null;
  /**
   * Resolves once the kernel shows a process and all below it there, who must start no others but
   * below them. @throws HostError if it does not come to that
   */
  enter(pid: number, signal: AbortSignal): Promise<void>;
  /** Resolves once nobody is there any more, or does not leave. Never rejects. */
  left(): Promise<void>;
}

export interface WorkerPlaces {
  /** @returns null: the partition has no slice. @throws HostError if that cannot be known */
  find(partition: PartitionName, signal: AbortSignal): Promise<WorkerPlace | null>;
}

/** Of a host without slices. */
export const noWorkerPlaces: WorkerPlaces = { find: async () => null };
