/**
 * What a monitoring system wants to know, in a registry of our own. Counters and histograms are fed
 * by events; gauges are read off the statuses when somebody asks, so that nothing has to be taken
 * back. Every label comes from a closed list, or is a partition's name, of which there are as many
 * as the operator has described: no guest can make a series.
 */
import { Counter, Histogram, Registry } from 'prom-client';
import type { DaemonEvent, EventRecord } from '../../report/event.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import type { ParserFailureCode } from '../parser.ts';
import { addGauges } from './metrics-gauges.ts';
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
  const series = seriesIn(registry);
  // A host that answers from the beginning is never said to be back.
  const reachable = { value: 1 };
  addGauges(registry, source, () => reachable.value);
  return {
    record: ({ event }) => {
      count(series, event);
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

/** From a pass over nothing to one that makes a whole fleet. */
const passBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
/** From a query on a Unix socket to a start that waits for a disk. */
const callBuckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

function seriesIn(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  return {
    passDuration: new Histogram({
      name: 'unnest_pass_duration_seconds',
      help: 'How long passes took, from the first read to the report.',
      buckets: passBuckets,
      registers,
    }),
    passes: counter('unnest_passes_total', 'Passes by how they ended.', ['outcome']),
    operations: counter(
      'unnest_operations_total',
      'Operations by kind and by what became of them.',
      ['kind', 'outcome'],
    ),
    drift: counter('unnest_drift_total', 'Drift that passes have found, by class.', ['class']),
    submissions: counter(
      'unnest_submissions_total',
      'Submissions by where they came from and what was answered.',
      ['source', 'result'],
    ),
    channelRefusals: counter(
      'unnest_channel_refusals_total',
      'Connections of VMs that were not listened to, on the channel or with a heartbeat, as of the last word about each address.',
      ['reason'],
    ),
    workerFailures: counter(
      'unnest_worker_failures_total',
      'Failures of the workers that read documents.',
      ['code'],
    ),
    libvirtCalls: new Histogram({
      name: 'unnest_libvirt_call_duration_seconds',
      help: 'How long calls of libvirt took, their wait for a slot included.',
      labelNames: ['procedure'],
      buckets: callBuckets,
      registers,
    }),
    libvirtFailures: counter(
      'unnest_libvirt_call_failures_total',
      'Calls of libvirt that failed.',
      ['procedure'],
    ),
  };
}

function count(series: ReturnType<typeof seriesIn>, event: DaemonEvent): void {
  // A few kinds are counted; the others are for the log.
  if (event.kind === 'pass-finished') {
    series.passDuration.observe(event.durationMs / 1000);
    series.passes.inc({ outcome: passOutcome(event) });
    for (const each of event.drift) series.drift.inc({ class: each });
  } else if (event.kind === 'pass-failed') {
    series.passes.inc({ outcome: 'failed' });
  } else if (event.kind === 'operation-finished') {
    series.operations.inc({ kind: event.operation, outcome: event.outcome });
  } else if (event.kind === 'submission-accepted') {
    series.submissions.inc({ source: event.source, result: 'Accepted' });
  } else if (event.kind === 'submission-refused') {
    series.submissions.inc({ source: event.source, result: event.code });
  } else if (event.kind === 'channel-refused' || event.kind === 'heartbeat-refused') {
    series.channelRefusals.inc({ reason: event.reason }, event.times);
  } else if (event.kind === 'worker-failed') {
    series.workerFailures.inc({ code: workerCode(event.code) });
  }
}

type PassOutcome = 'ok' | 'blocked' | 'partial' | 'failed';

function passOutcome(event: Extract<DaemonEvent, { kind: 'pass-finished' }>): PassOutcome {
  if (event.failed > 0) return 'partial';
  return event.blocked > 0 ? 'blocked' : 'ok';
}

/** An event's code is any text; a label must not be. */
function workerCode(code: string): string {
  return workerCodes.has(code) ? code : 'Other';
}

const workerCodes: ReadonlySet<string> = new Set<ParserFailureCode>([
  'Unavailable',
  'Outside',
  'Hung',
  'Died',
  'Oversized',
  'Forged',
]);
