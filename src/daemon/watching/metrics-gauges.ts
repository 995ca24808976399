/** The gauges: set anew from the statuses each time that somebody asks. */
import { Gauge, type Registry } from 'prom-client';
import {
  type PartitionStatus,
  STATUS_WORDS,
  SYNC_WORDS,
  type Usage,
} from '../../report/partition-status.ts';
import type { AmountName } from '../../partition/amounts.ts';
import type { MetricsSource } from './metrics.ts';
import { perSlice } from './slice-gauges.ts';

/** All of them: for whoever looks after the host. */
export function addGauges(
  registry: Registry,
  source: MetricsSource,
  hostReachable: () => number,
): void {
  const { statuses, queueDepth } = source;
  gauge(registry, 'unnest_host_reachable', 'Whether libvirt answers: 1 or 0.', [], (set) =>
    set({}, hostReachable()),
  );
  gauge(
    registry,
    'unnest_queue_depth',
    'Partitions whose next pass waits for its turn.',
    [],
    (set) => set({}, queueDepth()),
  );
  countOf(registry, 'unnest_partitions', 'Partitions by sync.', 'sync', SYNC_WORDS, () =>
    statuses().map(({ sync }) => sync),
  );
  addPartitionGauges(registry, source);
}

/** Those that speak of the partitions that `statuses` has, and of nothing else. */
export function addPartitionGauges(
  registry: Registry,
  { version, statuses, slices }: Omit<MetricsSource, 'queueDepth'>,
): void {
  gauge(
    registry,
    'unnest_build_info',
    'The version that runs, as a label; always 1.',
    ['version'],
    (set) => set({ version }, 1),
  );
  countOf(registry, 'unnest_secondaries', 'Secondaries by status.', 'status', STATUS_WORDS, () =>
    statuses().flatMap(({ secondaries }) => secondaries.map(({ status }) => status)),
  );
  for (const [name, help, valueOf] of perPartition) {
    gauge(registry, name, help, ['partition'], (set) => {
      for (const status of statuses()) set({ partition: status.partition }, valueOf(status));
    });
  }
  for (const [name, help, valueOf] of perSlice) {
    gauge(registry, name, help, ['partition'], (set) => {
      for (const { partition, usage } of slices()) set({ partition }, valueOf(usage));
    });
  }
}

type PerPartition = readonly [name: string, help: string, of: (status: PartitionStatus) => number];

const limit = (name: AmountName) =>
  usage(({ limits }) => (limits === null ? Number.POSITIVE_INFINITY : limits[name]));

const usage = (of: (usage: Usage) => number) => (status: PartitionStatus) => of(status.usage);

const perPartition: readonly PerPartition[] = [
  [
    'unnest_partition_generation',
    'The generation of the documents in force; 0: none yet.',
    ({ generation }) => generation,
  ],
  [
    'unnest_partition_secondaries',
    'Secondaries that the partition has.',
    usage(({ secondaries }) => secondaries),
  ],
  [
    'unnest_partition_vcpus_running',
    'Virtual CPUs of running Secondaries.',
    usage(({ runningVcpus }) => runningVcpus),
  ],
  [
    'unnest_partition_memory_running_bytes',
    'Memory of running Secondaries.',
    usage(({ runningMemoryBytes }) => runningMemoryBytes),
  ],
  [
    'unnest_partition_storage_bytes',
    'Room that Volumes and Images take.',
    usage(({ storageBytes }) => storageBytes),
  ],
  [
    'unnest_partition_memory_allocated_bytes',
    'Memory of running Secondaries, with what their virtual machines need besides.',
    usage(({ allocated }) => allocated.memoryBytes),
  ],
  ['unnest_partition_limit_vcpus', 'limits.vcpus; +Inf: nothing limits it.', limit('vcpus')],
  [
    'unnest_partition_limit_memory_bytes',
    'limits.memory; +Inf: nothing limits it.',
    limit('memoryBytes'),
  ],
  [
    'unnest_partition_limit_storage_bytes',
    'limits.storage; +Inf: nothing limits it.',
    limit('storageBytes'),
  ],
  [
    'unnest_partition_limit_secondaries',
    'limits.secondaries; +Inf: nothing limits it.',
    limit('secondaries'),
  ],
];

type SetGauge = (labels: Record<string, string>, value: number) => void;

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  fill: (set: SetGauge) => void,
): void {
  const made: Gauge = new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect: () => {
      // What is no longer there must not be told of for ever.
      made.reset();
      fill((labels, value) => made.set(labels, value));
    },
  });
}

/** How many there are of each word; a word that nobody bears is 0, so that alerts can be written. */
function countOf<W extends string>(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  words: readonly W[],
  borne: () => readonly W[],
): void {
  gauge(registry, name, help, [label], (set) => {
    const counts = new Map<W, number>(words.map((word) => [word, 0]));
    for (const word of borne()) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) set({ [label]: word }, count);
  });
}
