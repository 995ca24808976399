/**
 * HTTP over streams that somebody else has accepted: who is at the other end of each, how many there
 * may be, and how long each may keep us waiting. Time is the runtime's: Node's own limits run on the
 * real clock, and only for a server that listens by itself.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PeerCredentials, Timers } from '../daemon/runtime.ts';
import { channelLimits } from './limits.ts';
import { PROBLEM_TYPE, refusalProblem } from './problem.ts';

interface Connection {
  readonly stream: Duplex;
  readonly peer: PeerCredentials | null;
  /** Requests that have come and are not answered yet. */
  open: number;
  /** Stops the wait for whatever the other side is to send. */
  stopWait: () => void;
}

export class Connections {
  readonly #server: Server;
  readonly #timers: Timers;
  readonly #all = new Map<Duplex, Connection>();
  readonly #whenNone = new Set<() => void>();
  #closing = false;

  constructor(server: Server, timers: Timers) {
    this.#server = server;
    this.#timers = timers;
    server.on('request', (request, response) => this.#onRequest(request, response));
  }

  take(stream: Duplex, peer: PeerCredentials | null): void {
    // What breaks a connection is its client's to know; the stream closes either way.
    stream.on('error', () => undefined);
    if (this.#closing || this.#all.size >= channelLimits.connectionsMax) {
      turnAway(stream, this.#timers);
      return;
    }
    const connection: Connection = { stream, peer, open: 0, stopWait: () => undefined };
    this.#all.set(stream, connection);
    stream.once('close', () => this.#forget(connection));
    this.#await(connection, channelLimits.idleMs);
    this.#server.emit('connection', stream);
  }

  /** For people, and for the books: `uid 1000, pid 4242`. */
  submitterOf({ socket }: IncomingMessage): string {
    const peer = this.#all.get(socket)?.peer ?? null;
    return peer === null ? 'unknown uid' : `uid ${peer.uid}, pid ${peer.pid}`;
  }

  /** Idle ones end now; one that is being answered ends after that, or when its time is over. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const { stream, open } of this.#all.values()) if (open === 0) stream.destroy();
    const over = new AbortController();
    const late = this.#timers.sleep(channelLimits.closeMs, over.signal);
    await Promise.race([late, this.#untilNone()]);
    over.abort();
    for (const { stream } of this.#all.values()) stream.destroy();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#all.get(request.socket);
    if (connection === undefined) return;
    connection.open += 1;
    // Whether a body was read is the route's affair; here it only has to have come.
    this.#await(connection, channelLimits.bodyMs, () => request.complete);
    response.once('close', () => {
      connection.open -= 1;
      if (connection.open > 0) return;
      if (this.#closing) connection.stream.destroy();
      else this.#await(connection, channelLimits.idleMs);
    });
  }

  #await(connection: Connection, ms: number, hasCome: () => boolean = () => false): void {
    connection.stopWait();
    if (connection.stream.destroyed) return;
    connection.stopWait = this.#timers.after(ms, () => {
      if (!hasCome()) connection.stream.destroy();
    });
  }

  #forget(connection: Connection): void {
    connection.stopWait();
    this.#all.delete(connection.stream);
    if (this.#all.size === 0) for (const tell of this.#whenNone) tell();
  }

  #untilNone(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((done) => this.#whenNone.add(done));
  }
}

/** Without reading what it asks: a short answer fits into any socket's buffer. */
function turnAway(stream: Duplex, timers: Timers): void {
  const detail = `more than ${channelLimits.connectionsMax} connections at the same time`;
  const body = JSON.stringify(refusalProblem('TooBusy', detail));
  const head = [
    'HTTP/1.1 503 Service Unavailable',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  const stop = timers.after(channelLimits.closeMs, () => stream.destroy());
  stream.once('close', stop);
  stream.resume();
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => stream.destroy());
}
