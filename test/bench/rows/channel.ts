/**
 * The API that Primaries get, on Unix sockets in the place of vsock, which this machine may not have: a
 * whole status of 1,000 Secondaries over one connection that is kept, beside the same bytes from
 * node:http alone; and a small one of a partition whose neighbour floods, beside the same without. Who asks
 * and who floods are threads of their own.
 */
import { createServer as createHttpServer } from 'node:http';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { makeApiServer } from '../../../src/channel/api-server.ts';
import { type PlaceLimits, primaryLimits } from '../../../src/channel/limits.ts';
import { primaryScope } from '../../../src/channel/scope.ts';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import type { PartitionName, SecondaryName } from '../../../src/model/names.ts';
import { fakeControl, partitionStatus, secondaryReport } from '../../unit/channel/fake-control.ts';
import { type Row, rowOf } from '../row.ts';

const secondaries = 1000;
const requests = 400;
const path = '/v1/partition';

interface Served {
  readonly socket: string;
  close(): Promise<void>;
}

export async function channel(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'unnest-bench-channel-'));
  const [large, small, flooded, bare, kept] = ['large', 'small', 'flooded', 'bare', 'kept'].map(
    (name) => join(folder, name),
  ) as [string, string, string, string, string];
  const served = [
    // Who asks one after the other is not to meet the rate here.
    await servePartition(large, 'team-a', secondaries, { ...primaryLimits, rate: null }),
    await servePartition(small, 'team-b', 10, { ...primaryLimits, rate: null }),
    await servePartition(flooded, 'team-c', 10, primaryLimits),
    await servePartition(kept, 'team-d', 10, {
      ...primaryLimits,
      rate: null,
      connectionsMax: 10_000,
      connectionsPerUserMax: 10_000,
    }),
    await serveBytes(bare, statusOf('team-a', secondaries)),
  ];
  try {
    const ours = await asked(large, requests);
    const baseline = await asked(bare, requests);
    const many = await perSecond(large);
    const each = await kilobytesPerConnection(kept);
    const alone = await asked(small, requests);
    const flooder = flood(flooded);
    const beside = await asked(small, requests);
    await flooder.terminate();
    const name = 'node:http alone, the same bytes';
    const twice = { of: 'ratio', max: 2 } as const;
    return [
      rowOf(
        { name: 'channel-status of 1,000, p50', samples: { values: ours } },
        { name, samples: { values: baseline } },
      ),
      rowOf(
        { name: 'channel-status of 1,000, p99', samples: { values: ours }, percentile: 99 },
        null,
      ),
      rowOf(
        { name: 'channel beside a flood, median', samples: { values: beside }, target: twice },
        { name: 'the same without', samples: { values: alone } },
      ),
      rowOf(
        { name: 'channel beside a flood, p99', samples: { values: beside }, percentile: 99 },
        null,
      ),
      rowOf(
        { name: 'channel-status of 1,000, in a second', samples: { values: many }, unit: '/s' },
        null,
      ),
      rowOf(
        { name: 'channel, memory of a connection', samples: { values: each }, unit: 'kB' },
        null,
      ),
      rowOf({ name: 'channel without one, p99', samples: { values: alone }, percentile: 99 }, null),
    ];
  } finally {
    await Promise.all(served.map((each) => each.close()));
    rmSync(folder, { recursive: true });
  }
}

function statusOf(partition: string, count: number) {
  const since = '2026-01-01T00:00:00.000Z';
  const ready = { type: 'Ready', status: 'True', reason: 'Running', message: '', since } as const;
  const conditions = [{ ...ready, generation: 6 }];
  return partitionStatus({
    partition: partition as PartitionName,
    secondaries: Array.from({ length: count }, (_, index) =>
      secondaryReport({ name: `web-${index}` as SecondaryName, conditions }),
    ),
  });
}

async function servePartition(
  socket: string,
  name: string,
  count: number,
  limits: PlaceLimits,
): Promise<Served> {
  const fake = fakeControl();
  fake.set(statusOf(name, count));
  const api = await makeApiServer({
    control: fake.control,
    runtime: machineRuntime(),
    scope: primaryScope(name as PartitionName),
    limits,
    onBug: (error) => {
      throw error;
    },
  });
  const server = createServer({ allowHalfOpen: true }, (stream) =>
    api.take(stream, { words: name, party: name }),
  );
  await listening(server, socket);
  return {
    socket,
    close: async () => {
      server.close();
      await api.close();
    },
  };
}

async function serveBytes(socket: string, value: unknown): Promise<Served> {
  const server = createHttpServer((_, answer) => {
    const text = JSON.stringify(value);
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(text);
  });
  await listening(server, socket);
  return { socket, close: async () => void server.close() };
}

const listening = (server: Server, socket: string) =>
  new Promise<void>((done) => server.listen(socket, done));

/** How long each of so many requests took, one after the other over one connection, in ms. */
function asked(socket: string, count: number): Promise<readonly number[]> {
  return new Promise((done, fail) => {
    const worker = new Worker(asking, { eval: true, workerData: { socket, count, path } });
    worker.once('message', done);
    worker.once('error', fail);
  });
}

const asking = `
const { Agent, request } = require('node:http');
const { parentPort, workerData: { socket, count, path } } = require('node:worker_threads');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const one = () => new Promise((done, fail) => {
  const began = performance.now();
  request({ socketPath: socket, path, agent }, (answer) => {
    if (answer.statusCode !== 200) return fail(new Error('answered ' + answer.statusCode));
    answer.resume();
    answer.once('end', () => done(performance.now() - began));
  }).on('error', fail).end();
});
(async () => {
  for (let warm = 0; warm < 50; warm += 1) await one();
  const all = [];
  for (let n = 0; n < count; n += 1) all.push(await one());
  parentPort.postMessage(all);
  agent.destroy();
})();
`;

/** How many statuses a second eight connections get together, second by second. */
async function perSecond(socket: string): Promise<readonly number[]> {
  const worker = new Worker(hurrying, { eval: true, workerData: { socket, path } });
  const counts: number[] = [];
  await new Promise<void>((done, fail) => {
    worker.on('error', fail);
    worker.on('message', (count: number) => {
      counts.push(count);
      if (counts.length === 6) done();
    });
  });
  await worker.terminate();
  // The first one warms up.
  return counts.slice(1);
}

const hurrying = `
const { Agent, request } = require('node:http');
const { parentPort, workerData: { socket, path } } = require('node:worker_threads');
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let count = 0;
const one = () => request({ socketPath: socket, path, agent }, (answer) => {
  answer.resume();
  answer.once('end', () => { count += 1; one(); });
}).end();
for (let connection = 0; connection < 8; connection += 1) one();
setInterval(() => { parentPort.postMessage(count); count = 0; }, 1000);
`;

const connectionsKept = 2000;

/** What Node's heap holds for each of many connections that have asked once and wait. Their other ends are another process's. */
async function kilobytesPerConnection(socket: string): Promise<readonly number[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const before = settledMemory(collect);
  const child = spawn(process.execPath, ['-e', keeping, socket, `${connectionsKept}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const more = settledMemory(collect) - before;
  child.kill();
  await once(child, 'close');
  return [more / connectionsKept / 1000];
}

function settledMemory(collect: () => void): number {
  collect();
  collect();
  // Not what the process has of the machine, which was more before than it needed.
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const keeping = `
const { connect } = require('node:net');
const [socket, count] = process.argv.slice(1);
const begin = () => new Promise((done) => {
  const peer = connect(socket);
  peer.once('connect', () => peer.write('GET /v1/version HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n'));
  peer.once('data', done);
  peer.resume();
});
(async () => {
  for (let open = 0; open < Number(count); open += 1) await begin();
  console.log('open');
  setInterval(() => undefined, 1000);
})();
`;

/** As fast as it goes, over as many connections as a Primary may have, each made anew when it ends. */
function flood(socket: string): Worker {
  return new Worker(flooding, {
    eval: true,
    workerData: { socket, connections: primaryLimits.connectionsMax },
  });
}

const flooding = `
const { connect } = require('node:net');
const { workerData: { socket, connections } } = require('node:worker_threads');
const text = 'GET /v1/version HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n';
const begin = () => {
  const peer = connect(socket);
  peer.on('error', () => undefined);
  peer.on('connect', () => peer.write(text));
  peer.on('data', () => peer.write(text));
  // As unnestd lets a Primary connect.
  peer.on('close', () => setTimeout(begin, 1000));
};
for (let count = 0; count < connections; count += 1) begin();
`;
