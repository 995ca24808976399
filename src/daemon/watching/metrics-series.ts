/**
 * The counters and histograms: those that are about a partition, which it may see of itself, and those of the host.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { DaemonEvent } from '../../report/event.ts';
import type { ParserFailureCode } from '../parser.ts';

/** From a pass over nothing to one that makes a whole fleet. */
const passBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
/** From a query on a Unix socket to a start that waits for a disk. */
const callBuckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

export type PartitionSeries = ReturnType<typeof partitionSeries>;

export function partitionSeries(registry: Registry) {
  const counter = counterIn(registry);
  return {
    passDuration: new Histogram({
      name: 'unnest_pass_duration_seconds',
      help: 'How long passes took, from the first read to the report.',
      buckets: passBuckets,
      registers: [registry],
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
    workerFailures: counter(
      'unnest_worker_failures_total',
      'Failures of the workers that read documents.',
      ['code'],
    ),
  };
}

export function hostSeries(registry: Registry) {
  const counter = counterIn(registry);
  return {
    channelRefusals: counter(
      'unnest_channel_refusals_total',
      'Connections of VMs that were not listened to, on the channel or with a heartbeat, as of the last word about each address.',
      ['reason'],
    ),
    libvirtCalls: new Histogram({
      name: 'unnest_libvirt_call_duration_seconds',
      help: 'How long calls of libvirt took, their wait for a slot included.',
      labelNames: ['procedure'],
      buckets: callBuckets,
      registers: [registry],
    }),
    libvirtFailures: counter(
      'unnest_libvirt_call_failures_total',
      'Calls of libvirt that failed.',
      ['procedure'],
    ),
  };
}

function counterIn(registry: Registry) {
  return <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers: [registry] });
}

/** A few kinds are counted; the others are for the log. */
export function countOfPartition(series: PartitionSeries, event: DaemonEvent): void {
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
