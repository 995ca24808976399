/**
 * The metrics of one partition, for whoever may see that one only: the same names as those of the host,
 * of which there are only those that speak of it. Nothing here says how the host or a neighbour fares.
 */
import { Registry } from 'prom-client';
import type { PartitionName } from '../../model/names.ts';
import type { DaemonEvent, EventRecord } from '../../report/event.ts';
import { addPartitionGauges } from './metrics-gauges.ts';
import { countOfPartition, type PartitionSeries, partitionSeries } from './metrics-series.ts';
import type { MetricsSource } from './metrics.ts';

interface OfOne {
  readonly registry: Registry;
  readonly series: PartitionSeries;
}

export class PartitionMetrics {
  readonly #source: Omit<MetricsSource, 'queueDepth'>;
  /** Counted from when the partition came, whether somebody asks or not. */
  readonly #all = new Map<PartitionName, OfOne>();

  constructor(source: Omit<MetricsSource, 'queueDepth'>) {
    this.#source = source;
  }

  record({ event }: Pick<EventRecord, 'event'>): void {
    if (!('partition' in event)) return;
    const { partition } = event;
    // What comes of the same name later is another one.
    if (event.kind === 'partition-removed') this.#all.delete(partition);
    else this.#count(event);
  }

  text(partition: PartitionName): Promise<string> {
    return this.#of(partition).registry.metrics();
  }

  #count(event: Extract<DaemonEvent, { readonly partition: PartitionName }>): void {
    countOfPartition(this.#of(event.partition).series, event);
  }

  #of(partition: PartitionName): OfOne {
    const known = this.#all.get(partition);
    if (known !== undefined) return known;
    const registry = new Registry();
    const { version, statuses, slices } = this.#source;
    addPartitionGauges(registry, {
      version,
      statuses: () => statuses().filter((status) => status.partition === partition),
      slices: () => slices().filter((reading) => reading.partition === partition),
    });
    const made = { registry, series: partitionSeries(registry) };
    this.#all.set(partition, made);
    return made;
  }
}
