/**
 * What others in the Primary ask: taken on a Unix socket, whose mode says who may, and asked of the host
 * over the agent's own few connections. The host answers; here only the form is looked at, and that
 * nobody hands in documents beside the folder that the agent keeps to.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Address, Listening, PeerCredentials, Runtime } from '../../daemon/runtime.ts';
import { explainError } from '../../host/host-error.ts';
import { asksForWork, takesBytes } from '../route-kinds.ts';
import type { Transport } from '../client-transport.ts';
import { type Asker, Connections } from '../connections.ts';
import { channelLimits, primaryLimits } from '../limits.ts';
import { apiProblem, type Problem, PROBLEM_TYPE, refusalProblem } from '../problem.ts';
import { primaryAt } from '../client-answers.ts';
import { KEY_HEADER } from '../messages.ts';
import { RequestRate } from '../request-rate.ts';

export interface ForwardingOptions {
  readonly runtime: Pick<Runtime, 'sockets' | 'timers' | 'clock'>;
  readonly address: Extract<Address, { readonly kind: 'unix' }>;
  readonly host: Transport;
  /** The folder that says what the partition is to be; null: whoever asks. */
  readonly folder: string | null;
}

/** Less than the host gives this Primary, in everything, so that there is always room for the agent itself. */
const localLimits = {
  ...primaryLimits,
  connectionsMax: 16,
  connectionsPerUserMax: 8,
  // A stream may never end, and what is asked behind it would take another connection to the host.
  requestsPerConnectionMax: 1,
  rate: { perSecond: 25, burst: 100 },
  workRate: { perSecond: 1, burst: 10 },
};

export async function forwardToHost(options: ForwardingOptions): Promise<Listening> {
  const { runtime, address } = options;
  const none = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  const server = createServer({ maxHeaderSize: channelLimits.headerBytesMax, ...none });
  const rate = new RequestRate(localLimits.rate, runtime.clock);
  const work = new RequestRate(localLimits.workRate, runtime.clock);
  const connections = new Connections(server, runtime.timers, localLimits, rate);
  server.on('request', (asked, answer) => {
    const exchange = connections.exchangeOf(asked);
    if (exchange === null) return;
    const isTooMuch = exchange.isTooFast || (isWork(asked) && !work.take());
    if (isTooMuch) refuse(answer, apiProblem('TooManyRequests', 'too many in a second'));
    else void forward(asked, answer, options);
  });
  server.on('clientError', (_error, stream) => stream.destroy());
  const listening = await runtime.sockets.listen(address, (stream, peer) =>
    connections.take(stream, askerOf(peer)),
  );
  return {
    close: async () => {
      await listening.close();
      await connections.close();
    },
  };
}

/** As the host counts it. */
function isWork({ method = '', url = '' }: IncomingMessage): boolean {
  return asksForWork(method, url.split('?', 1)[0] ?? '');
}

function askerOf(peer: PeerCredentials | null): Asker {
  const party = peer === null ? 'one user' : `uid ${peer.uid}`;
  return { words: party, party };
}

/** What has a route on the host, spelt in the one way that it has. */
const address = /^(\/v1\/[a-z0-9/-]+)(?:\?[A-Za-z0-9=&_-]*)?$/;
const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST']);

async function forward(
  asked: IncomingMessage,
  answer: ServerResponse,
  { host, folder }: ForwardingOptions,
): Promise<void> {
  const { method = '', url = '' } = asked;
  const [, path] = address.exec(url) ?? [];
  if (path === undefined || !methods.has(method)) {
    return refuse(answer, apiProblem('NotFound', `there is no ${method} ${url}`));
  }
  if (folder !== null && method === 'PUT' && path === `${primaryAt}/desired`) {
    const message = `the agent hands in what ${folder} holds, and nothing else counts: change it there`;
    return refuse(answer, refusalProblem('NotTheSource', message));
  }
  const bytesMax = takesBytes(path) ? channelLimits.uploadBytesMax : primaryLimits.bodyBytesMax;
  const body = await bodyOf(asked, bytesMax);
  if (body === 'too large') {
    const detail = `a body of more than ${bytesMax} bytes`;
    return refuse(answer, apiProblem('TooLarge', detail));
  }
  // Its connection is shared: what is no part of one request must never be read as the next.
  if (method === 'GET' && body.length > 0) {
    return refuse(answer, apiProblem('BadRequest', 'a GET has no body'));
  }
  pass({ method, url, body, headers: passedOn(asked) }, answer, host);
}

interface Passed {
  readonly method: string;
  readonly url: string;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** As node:http has them: of any other nothing is passed on. */
function passedOn({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const names = ['content-type', KEY_HEADER];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function pass(
  { method, url, body, headers: given }: Passed,
  answer: ServerResponse,
  host: Transport,
): void {
  if (answer.destroyed) return;
  const length = method === 'GET' ? {} : { 'content-length': body.length };
  const headers = { ...length, ...given };
  const forwarded = request({ ...host.options, method, path: url, headers });
  forwarded.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, headersOf(response));
    // Of a stream there may be nothing more for a long time.
    answer.flushHeaders();
    response.on('error', () => answer.destroy());
    response.pipe(answer);
  });
  forwarded.on('error', (error) => {
    if (answer.headersSent) return void answer.destroy();
    refuse(answer, apiProblem('NoHost', `the host does not answer: ${explainError(error)}`));
  });
  // Whoever does not wait for the answer any more does not keep a connection to the host.
  answer.once('close', () => forwarded.destroy());
  forwarded.end(body);
}

/** As a whole, so that nobody keeps the host waiting for the rest of it. */
async function bodyOf(asked: IncomingMessage, bytesMax: number): Promise<Uint8Array | 'too large'> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of asked) {
      length += (chunk as Uint8Array).length;
      if (length > bytesMax) return 'too large';
      chunks.push(chunk as Uint8Array);
    }
  } catch {
    // Whoever has broken off waits for no answer either.
  }
  return Buffer.concat(chunks);
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const names = ['content-type', 'content-length', 'cache-control'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function refuse(answer: ServerResponse, problem: Problem): void {
  const body = JSON.stringify(problem);
  const length = Buffer.byteLength(body);
  answer.writeHead(problem.status, { 'content-type': PROBLEM_TYPE, 'content-length': length });
  answer.end(body);
}
