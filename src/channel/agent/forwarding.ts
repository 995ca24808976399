/**
 * What others in the Primary ask: taken on a Unix socket, whose mode says who may, and asked of the host
 * over the agent's own few connections. The host answers; here only the form is looked at, and that
 * nobody hands in documents beside the folder that the agent keeps to.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Address, Listening, PeerCredentials, Runtime } from '../../daemon/runtime.ts';
import { explainError } from '../../host/host-error.ts';
import type { Transport } from '../client-transport.ts';
import { Connections } from '../connections.ts';
import { channelLimits, primaryLimits } from '../limits.ts';
import { apiProblem, type Problem, PROBLEM_TYPE, refusalProblem } from '../problem.ts';
import { primaryAt } from '../client-answers.ts';

export interface ForwardingOptions {
  readonly runtime: Pick<Runtime, 'sockets' | 'timers'>;
  readonly address: Extract<Address, { readonly kind: 'unix' }>;
  readonly host: Transport;
  /** The folder that says what the partition is to be; null: whoever asks. */
  readonly folder: string | null;
}

/** Fewer than the host takes from this Primary, so that the agent itself always finds room. */
const localLimits = { ...primaryLimits, connectionsMax: 16, connectionsPerUserMax: 16 };

export async function forwardToHost(options: ForwardingOptions): Promise<Listening> {
  const { runtime, address } = options;
  const none = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  const server = createServer({ maxHeaderSize: channelLimits.headerBytesMax, ...none });
  const connections = new Connections(server, runtime.timers, localLimits);
  server.on('request', (asked, answer) => forward(asked, answer, options));
  server.on('clientError', (_error, stream) => stream.destroy());
  const listening = await runtime.sockets.listen(address, (stream, peer) =>
    connections.take(stream, { words: wordsOf(peer), party: 'this Primary' }),
  );
  return {
    close: async () => {
      await listening.close();
      await connections.close();
    },
  };
}

const wordsOf = (peer: PeerCredentials | null) => (peer === null ? 'somebody' : `uid ${peer.uid}`);

function forward(asked: IncomingMessage, answer: ServerResponse, options: ForwardingOptions): void {
  const { host, folder } = options;
  const { method = 'GET', url = '/' } = asked;
  if (folder !== null && method === 'PUT' && url === `${primaryAt}/desired`) {
    const message = `the agent hands in what ${folder} holds, and nothing else counts: change it there`;
    return refuse(answer, refusalProblem('NotTheSource', message));
  }
  const forwarded = request({ ...host.options, method, path: url, headers: headersOf(asked) });
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
  asked.pipe(forwarded);
}

/** What there is to know of a body; the rest is of the one connection and no other's. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const names = ['content-type', 'content-length', 'accept', 'cache-control'] as const;
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
