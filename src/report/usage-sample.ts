/**
 * What a partition uses at one moment, as the kernel counts it for its slice and libvirt for its guests.
 * Counts of CPU time only grow: two samples tell how busy it is.
 */
import type { SecondaryName } from '../model/names.ts';

export interface UsageSample {
  /** On the clock of whoever has looked: from any beginning, for the time between two samples. */
  readonly atMs: number;
  /** Null: there is no slice, or it could not be read. */
  readonly slice: {
    readonly memoryBytes: number;
    readonly cpuUs: number;
    readonly processes: number;
  } | null;
  /** Those that run; null: nobody has asked, or they could not be read. */
  readonly secondaries: readonly GuestSample[] | null;
}

export interface GuestSample {
  readonly name: SecondaryName;
  /** Of CPU time, since it was started. */
  readonly cpuUs: number;
  /** What its process has of the host's memory; null: not known. */
  readonly memoryBytes: number | null;
}
