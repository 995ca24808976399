import type { SliceFields } from '../../src/model/slice.ts';

/** A slice in which nothing is held back. */
export const unlimited: SliceFields = {
  memoryMaxBytes: null,
  swapMaxBytes: null,
  cpus: null,
  cpuWeight: null,
  cpuset: null,
  exclusiveCpus: null,
  memoryMinBytes: null,
  pidsMax: null,
  diskBytesPerSecond: null,
  diskOperationsPerSecond: null,
};
