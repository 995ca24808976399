/** What the kernel counts for the slices of partitions, as of the last look at each. */
import type { PartitionName } from '../../model/names.ts';
import type { SliceUsage } from '../../model/slice.ts';

export interface SliceReading {
  readonly partition: PartitionName;
  readonly usage: SliceUsage;
}

type PerSlice = readonly [name: string, help: string, of: (usage: SliceUsage) => number];

const microsecondsPerSecond = 1_000_000;

export const perSlice: readonly PerSlice[] = [
  [
    'unnest_slice_memory_bytes',
    'Memory that is used in the slice of a partition.',
    ({ memoryBytes }) => memoryBytes,
  ],
  [
    'unnest_slice_memory_pressure_ratio',
    'The part of ten seconds in which everybody in the slice waited for memory.',
    ({ memoryPressure }) => memoryPressure / 100,
  ],
  [
    'unnest_slice_oom_kills',
    'How often the kernel has killed in the slice since it was made.',
    ({ oomKills }) => oomKills,
  ],
  [
    'unnest_slice_cpu_seconds',
    'CPU time that was used in the slice since it was made.',
    ({ cpuUs }) => cpuUs / microsecondsPerSecond,
  ],
  [
    'unnest_slice_cpu_throttled_seconds',
    'How long it was held back by its limit of CPUs since it was made, summed over CPUs.',
    ({ throttledUs }) => throttledUs / microsecondsPerSecond,
  ],
  [
    'unnest_slice_cpu_periods',
    'Periods of the limit of CPUs in which something ran since it was made.',
    ({ periods }) => periods,
  ],
  [
    'unnest_slice_cpu_throttled_periods',
    'And those of them in which it was held back.',
    ({ throttledPeriods }) => throttledPeriods,
  ],
  ['unnest_slice_processes', 'Processes and threads in the slice.', ({ processes }) => processes],
];
