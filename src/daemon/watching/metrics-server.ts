/**
 * `GET /metrics` on a Unix socket or a loopback port, and nothing else: one request per connection,
 * few connections, small headers, and an end after a time, whoever is at the other end.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Address, Listening, Runtime } from '../runtime.ts';
import type { Metrics } from './metrics.ts';

export const metricsLimits = {
  connectionsMax: 16,
  headerBytesMax: 4096,
  /** Of a connection, from its beginning to its end. */
  connectionMs: 10_000,
} as const;

export async function serveMetrics(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  address: Address,
  {
    sockets,
    timers,
  }: Pick<Runtime, 'timers'> & { readonly sockets: Pick<Runtime['sockets'], 'listen'> },
): Promise<Listening> {
  // It never listens itself, and so has no clock of its own: the time limit below is all there is.
  const server = createServer(
    { maxHeaderSize: metricsLimits.headerBytesMax, keepAlive: false },
    (request, response) => void answer(request, response, metrics),
  );
  // Its own answer to a request that is none would wait for the other end.
  server.on('clientError', (_error, stream: Duplex) => stream.destroy());
  const open = new Set<Duplex>();
  const listening = await sockets.listen(address, (stream) => {
    stream.on('error', () => stream.destroy());
    if (open.size >= metricsLimits.connectionsMax) return void stream.destroy();
    open.add(stream);
    const stopTimer = timers.after(metricsLimits.connectionMs, () => stream.destroy());
    stream.once('close', () => {
      stopTimer();
      open.delete(stream);
    });
    // How node:http takes over a stream that it has not accepted itself.
    server.emit('connection', stream);
  });
  return {
    close: async () => {
      await listening.close();
      for (const stream of open) stream.destroy();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Pick<Metrics, 'text' | 'contentType'>,
): Promise<void> {
  response.shouldKeepAlive = false;
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/metrics') return refuse(response, 404, 'there is only /metrics');
  if (request.method !== 'GET') return refuse(response, 405, 'there is only GET');
  try {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType });
    response.end(text);
  } catch {
    refuse(response, 500, 'the metrics could not be read');
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${message}\n`);
}
