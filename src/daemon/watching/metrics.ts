/**
 * What a monitoring system wants to know, in a registry of our own. Counters and histograms are fed
 * by events; gauges are read off the statuses when somebody asks, so that nothing has to be taken
 * back. Every label comes from a closed list, or is a partition's name, of which there are as many
 * as the operator has described: no guest can make a series.
 */
import { Registry } from 'prom-client';
import type { EventRecord } from '../../report/event.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import { addGauges } from './metrics-gauges.ts';
import { countOfPartition, hostSeries, partitionSeries } from './metrics-series.ts';
import type { SliceReading } from './slice-gauges.ts';

export interface MetricsSource {
  readonly version: string;
  readonly statuses: () => readonly PartitionStatus[];
  readonly slices: () => readonly SliceReading[];
  /** Partitions with a pass to come that has not begun. */
  readonly queueDepth: () => number;
}

/** A call that has ended, as the libvirt client reports it. */
export interface LibvirtCall {
  /** From the closed table of that client. */
  readonly procedure: string;
  readonly durationMs: number;
  readonly ok: boolean;
}

export interface Metrics {
  record(record: EventRecord): void;
  libvirtCall(call: LibvirtCall): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function openMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  const ofPartitions = partitionSeries(registry);
  const series = hostSeries(registry);
  // A host that answers from the beginning is never said to be back.
  const reachable = { value: 1 };
  addGauges(registry, source, () => reachable.value);
  return {
    record: ({ event }) => {
      countOfPartition(ofPartitions, event);
      if (event.kind === 'channel-refused' || event.kind === 'heartbeat-refused') {
        series.channelRefusals.inc({ reason: event.reason }, event.times);
      }
      if (event.kind === 'host-back') reachable.value = 1;
      if (event.kind === 'host-lost') reachable.value = 0;
    },
    libvirtCall: ({ procedure, durationMs, ok }) => {
      series.libvirtCalls.observe({ procedure }, durationMs / 1000);
      if (!ok) series.libvirtFailures.inc({ procedure });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
