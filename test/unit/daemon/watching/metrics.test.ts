/** Metrics: what is counted of which event, what is read off the statuses, and who gets to read it. */
import { get, type IncomingMessage } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Address, Sockets } from '../../../../src/daemon/runtime.ts';
import { openMetrics } from '../../../../src/daemon/watching/metrics.ts';
import { metricsLimits, serveMetrics } from '../../../../src/daemon/watching/metrics-server.ts';
import type { SliceReading } from '../../../../src/daemon/watching/slice-gauges.ts';
import type { DaemonEvent } from '../../../../src/report/event.ts';
import type { PartitionStatus } from '../../../../src/report/partition-status.ts';
import { virtualRuntime } from '../../../support/virtual-runtime.ts';
import { everyEvent, partition } from './every-event.ts';
import { secondary, statusOf } from './statuses.ts';

function opened(statuses: readonly PartitionStatus[] = []) {
  const all = [...statuses];
  const slices: SliceReading[] = [];
  const metrics = openMetrics({
    version: '1.2.3',
    statuses: () => all,
    slices: () => slices,
    queueDepth: () => 7,
  });
  let seq = 0;
  const record = (event: DaemonEvent) => {
    seq += 1;
    metrics.record({ seq, at: '', event });
  };
  /** Lines of one metric. */
  const linesOf = async (name: string) =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
  return { metrics, record, linesOf, all, slices };
}

describe('metrics', () => {
  test('count what happens', async () => {
    const { record, linesOf } = opened();
    for (const event of Object.values(everyEvent)) record(event);
    record({ ...everyEvent['pass-finished'], failed: 1 });
    record({ ...everyEvent['pass-finished'], blocked: 1 });
    expect(await linesOf('unnest_passes_total')).toEqual([
      'unnest_passes_total{outcome="ok"} 1',
      'unnest_passes_total{outcome="failed"} 1',
      'unnest_passes_total{outcome="partial"} 1',
      'unnest_passes_total{outcome="blocked"} 1',
    ]);
    expect(await linesOf('unnest_operations_total')).toEqual([
      'unnest_operations_total{kind="domain.start",outcome="applied"} 1',
    ]);
    expect(await linesOf('unnest_drift_total')).toEqual(['unnest_drift_total{class="power"} 3']);
    expect(await linesOf('unnest_submissions_total')).toEqual([
      'unnest_submissions_total{source="Apply",result="Accepted"} 1',
      'unnest_submissions_total{source="Apply",result="Invalid"} 1',
    ]);
    expect(await linesOf('unnest_worker_failures_total')).toEqual([
      'unnest_worker_failures_total{code="Hung"} 1',
    ]);
    expect(await linesOf('unnest_pass_duration_seconds_count')).toEqual([
      'unnest_pass_duration_seconds_count 3',
    ]);
    expect(await linesOf('unnest_pass_duration_seconds_sum')).toEqual([
      'unnest_pass_duration_seconds_sum 0.06',
    ]);
  });

  test('a code that nobody knows makes no series of its own', async () => {
    const { record, linesOf } = opened();
    for (let n = 0; n < 1000; n += 1) {
      record({ kind: 'worker-failed', partition, code: `invented-${n}`, message: '' });
    }
    expect(await linesOf('unnest_worker_failures_total')).toEqual([
      'unnest_worker_failures_total{code="Other"} 1000',
    ]);
  });

  test('say what the kernel has counted, of slices that there are', async () => {
    const { linesOf, slices } = opened();
    const usage = {
      memoryBytes: 4096,
      cpuUs: 2_500_000,
      throttledUs: 500_000,
      periods: 9,
      throttledPeriods: 2,
      processes: 5,
      oomKills: 1,
      memoryPressure: 12.5,
    };
    slices.push({ partition, usage });
    expect(
      (await linesOf('unnest_slice_')).map((line) => line.replace(/^unnest_slice_/, '')),
    ).toEqual(
      [
        'memory_bytes 4096',
        'memory_pressure_ratio 0.125',
        'oom_kills 1',
        'cpu_seconds 2.5',
        'cpu_throttled_seconds 0.5',
        'cpu_periods 9',
        'cpu_throttled_periods 2',
        'processes 5',
      ].map((line) => line.replace(' ', `{partition="${partition}"} `)),
    );
    slices.pop();
    expect(await linesOf('unnest_slice_')).toEqual([]);
  });

  test('measure the calls of libvirt', async () => {
    const { metrics, linesOf } = opened();
    metrics.libvirtCall({ procedure: 'domain_create', durationMs: 250, ok: true });
    metrics.libvirtCall({ procedure: 'domain_create', durationMs: 250, ok: false });
    expect(await linesOf('unnest_libvirt_call_duration_seconds_sum')).toEqual([
      'unnest_libvirt_call_duration_seconds_sum{procedure="domain_create"} 0.5',
    ]);
    expect(await linesOf('unnest_libvirt_call_failures_total')).toEqual([
      'unnest_libvirt_call_failures_total{procedure="domain_create"} 1',
    ]);
  });

  test('tell what is so now, and nothing of what is gone', async () => {
    const { record, linesOf, all } = opened([
      statusOf({ secondaries: [secondary('web', 'Running'), secondary('db', 'Stopped')] }),
    ]);
    expect(await linesOf('unnest_build_info')).toEqual(['unnest_build_info{version="1.2.3"} 1']);
    expect(await linesOf('unnest_queue_depth')).toEqual(['unnest_queue_depth 7']);
    expect(await linesOf('unnest_host_reachable')).toEqual(['unnest_host_reachable 1']);
    record(everyEvent['host-lost']);
    expect(await linesOf('unnest_host_reachable')).toEqual(['unnest_host_reachable 0']);
    record(everyEvent['host-back']);
    expect(await linesOf('unnest_host_reachable')).toEqual(['unnest_host_reachable 1']);
    expect(await linesOf('unnest_partitions')).toContain('unnest_partitions{sync="Synced"} 1');
    expect(await linesOf('unnest_secondaries')).toEqual(
      expect.arrayContaining([
        'unnest_secondaries{status="Running"} 1',
        'unnest_secondaries{status="Stopped"} 1',
        'unnest_secondaries{status="CrashLoop"} 0',
      ]),
    );
    expect(await linesOf('unnest_partition_')).toEqual([
      'unnest_partition_generation{partition="team-a"} 3',
      'unnest_partition_secondaries{partition="team-a"} 2',
      'unnest_partition_vcpus_running{partition="team-a"} 4',
      'unnest_partition_memory_running_bytes{partition="team-a"} 1073741824',
      'unnest_partition_storage_bytes{partition="team-a"} 4096',
      'unnest_partition_memory_allocated_bytes{partition="team-a"} 0',
      'unnest_partition_limit_vcpus{partition="team-a"} +Inf',
      'unnest_partition_limit_memory_bytes{partition="team-a"} +Inf',
      'unnest_partition_limit_storage_bytes{partition="team-a"} +Inf',
      'unnest_partition_limit_secondaries{partition="team-a"} +Inf',
    ]);
    all.length = 0;
    expect(await linesOf('unnest_partition_')).toEqual([]);
    expect(await linesOf('unnest_partitions{sync="Synced"}')).toEqual([
      'unnest_partitions{sync="Synced"} 0',
    ]);
  });

  test('do not touch the registry that all of a process share', async () => {
    const { register } = await import('prom-client');
    opened();
    expect(register.getMetricsAsArray()).toEqual([]);
  });
});

const address: Address = { kind: 'loopback', port: 9464 };

/** What a client has received once its connection is over. */
interface Client {
  readonly stream: Duplex;
  readonly answer: Promise<string>;
}

/** In memory, and with an end that the other end notices, as that of a real socket. */
async function served() {
  const runtime = virtualRuntime();
  const metrics = { text: async () => 'unnest_up 1\n', contentType: 'text/plain; version=0.0.4' };
  let accept: (stream: Duplex) => void = () => undefined;
  const closed = { isSo: false };
  const sockets: Pick<Sockets, 'listen'> = {
    listen: async (_address, onConnection) => {
      accept = (stream) => onConnection(stream, null);
      return { close: async () => void (closed.isSo = true) };
    },
  };
  const listening = await serveMetrics(metrics, address, { sockets, timers: runtime.timers });
  onTestFinished(() => listening.close());
  const connect = (request = ''): Client => {
    const [stream, theirs] = duplexPair();
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.once('end', () => stream.end());
    stream.write(request);
    const answer = new Promise<string>((done) => {
      theirs.once('close', () => setImmediate(() => done(text)));
    });
    accept(theirs);
    return { stream, answer };
  };
  return { runtime, listening, connect, closed };
}

describe('the server of metrics', () => {
  test('answers GET /metrics to an ordinary client', async () => {
    const { connect } = await served();
    const response = await new Promise<IncomingMessage>((done, fail) => {
      // Border: node:http takes any duplex, and asks for a socket.
      const createConnection = () => connect().stream as never;
      get({ path: '/metrics', createConnection }, done).on('error', fail);
    });
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect([response.statusCode, body]).toEqual([200, 'unnest_up 1\n']);
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4');
  });

  test.each([
    ['GET /', 404],
    ['GET /metrics/../secret', 404],
    ['POST /metrics', 405],
    ['DELETE /metrics', 405],
  ])('%s is answered with %i', async (line, status) => {
    const { connect } = await served();
    const answer = await connect(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`).answer;
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('answers once per connection', async () => {
    const { connect } = await served();
    const request = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await connect(request + request).answer;
    expect(answer.match(/^HTTP\/1.1 200 /gm)).toHaveLength(1);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  test('ends a connection with large headers, or with what is not HTTP', async () => {
    const { connect } = await served();
    const large = 'x'.repeat(metricsLimits.headerBytesMax + 1000);
    expect(await connect(`GET /metrics HTTP/1.1\r\nX: ${large}\r\n\r\n`).answer).toBe('');
    expect(await connect('\u0000\u0001\u0002\r\n\r\n').answer).toBe('');
  });

  test('has so many connections at most, and ends those that say nothing', async () => {
    const { runtime, connect } = await served();
    const silent = Array.from({ length: metricsLimits.connectionsMax }, () => connect().answer);
    await runtime.settle();
    expect(await connect('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n').answer).toBe('');
    await runtime.advance(metricsLimits.connectionMs);
    expect(await Promise.all(silent)).toEqual(silent.map(() => ''));
    const answer = await connect('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n').answer;
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test('takes its connections along when it is closed', async () => {
    const { listening, connect, closed } = await served();
    const silent = connect().answer;
    await listening.close();
    expect(await silent).toBe('');
    expect(closed.isSo).toBe(true);
  });
});
