/**
 * HTTP over streams that somebody else has accepted: who is at the other end of each, how many there
 * may be, what they may ask at once, and how long each may keep us waiting. Time is the runtime's:
 * Node's own limits run on the real clock, and only for a server that listens by itself.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Timers } from '../daemon/runtime.ts';
import { Exchange } from './exchange.ts';
import { channelLimits, type PlaceLimits } from './limits.ts';
import type { RequestRate } from './request-rate.ts';
import { turnAway } from './turn-away.ts';

/** Who is at the other end, as the kernel or the hypervisor says. */
export interface Asker {
  /** For people, and for the books: `uid 1000, pid 4242`. */
  readonly words: string;
  /** Whose connections are counted together, and how to call them. */
  readonly party: string;
}

interface Connection {
  readonly stream: Duplex;
  readonly asker: Asker;
  /** Requests that have come and are not answered and read yet, in order of coming. */
  readonly open: Map<IncomingMessage, Exchange>;
  /** Whether it is there for one stream, and for nothing else until that ends. */
  isStreaming: boolean;
  /** Stops the wait for the next request. */
  stopWait: () => void;
  /** How many of its requests came too fast. */
  tooFast: number;
}

/** A client that was told so often that it asks too fast is not asking, but flooding. */
const tooFastMax = 20;

export class Connections {
  readonly #server: Server;
  readonly #timers: Timers;
  readonly #limits: PlaceLimits;
  readonly #rate: RequestRate;
  readonly #all = new Map<Duplex, Connection>();
  readonly #whenNone = new Set<() => void>();
  #closing = false;

  constructor(server: Server, timers: Timers, limits: PlaceLimits, rate: RequestRate) {
    this.#rate = rate;
    this.#server = server;
    this.#timers = timers;
    this.#limits = limits;
    // Before whoever answers, so that each request is known by then.
    server.prependListener('request', (request, response) => this.#onRequest(request, response));
  }

  take(stream: Duplex, asker: Asker): void {
    // What breaks a connection is its client's to know; the stream closes either way.
    stream.on('error', () => undefined);
    const reason = this.#reasonToTurnAway(asker);
    if (reason !== null) {
      turnAway(stream, this.#timers, reason);
      return;
    }
    const open: Connection['open'] = new Map();
    const stopWait = () => undefined;
    const connection: Connection = {
      stream,
      asker,
      open,
      isStreaming: false,
      stopWait,
      tooFast: 0,
    };
    this.#all.set(stream, connection);
    stream.once('close', () => this.#forget(connection));
    this.#awaitRequest(connection);
    this.#server.emit('connection', stream);
  }

  submitterOf({ socket }: IncomingMessage): string {
    return this.#all.get(socket)?.asker.words ?? 'somebody who is gone';
  }

  partyOf({ socket }: IncomingMessage): string {
    return this.#all.get(socket)?.asker.party ?? 'somebody who is gone';
  }

  /** Null: its connection is no longer there, so that there is nobody to answer. */
  exchangeOf(request: IncomingMessage): Exchange | null {
    const connection = this.#all.get(request.socket);
    if (connection === undefined || connection.stream.destroyed) return null;
    return connection.open.get(request) ?? null;
  }

  /**
   * A stream may never end, and what is asked behind it would wait as long: whoever asks for more on
   * its connection loses it. @returns as `exchangeOf`
   */
  beginStream(request: IncomingMessage): Exchange | null {
    const connection = this.#all.get(request.socket);
    if (connection === undefined) return null;
    connection.isStreaming = true;
    if (connection.open.size > 1) connection.stream.destroy();
    return this.exchangeOf(request);
  }

  /** Whether another answer may be made, considering what nobody has read yet. */
  get hasRoom(): boolean {
    return this.#unreadBytes < this.#limits.unreadInAllBytesMax;
  }

  /** Whether so much more may wait. What is too large by itself may, as long as nothing else does. */
  hasRoomFor(bytes: number): boolean {
    const before = this.#unreadBytes;
    return before === 0 || before + bytes <= this.#limits.unreadInAllBytesMax;
  }

  get #unreadBytes(): number {
    let bytes = 0;
    for (const { open } of this.#all.values()) {
      for (const exchange of open.values()) bytes += exchange.unreadBytes;
    }
    return bytes;
  }

  /** Idle ones end now; one that is being answered ends after that, or when its time is over. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const { stream, open } of this.#all.values()) if (open.size === 0) stream.destroy();
    const over = new AbortController();
    const late = this.#timers.sleep(channelLimits.closeMs, over.signal);
    await Promise.race([late, this.#untilNone()]);
    over.abort();
    for (const { stream } of this.#all.values()) stream.destroy();
  }

  #reasonToTurnAway({ party }: Asker): string | null {
    const { connectionsMax, connectionsPerUserMax } = this.#limits;
    const all = [...this.#all.values()];
    if (this.#closing) return 'unnestd is stopping';
    if (all.length >= connectionsMax) {
      return `more than ${connectionsMax} connections at the same time`;
    }
    const ofParty = all.filter(({ asker }) => asker.party === party).length;
    if (ofParty < connectionsPerUserMax) return null;
    return `more than ${connectionsPerUserMax} connections of ${party} at the same time`;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#all.get(request.socket);
    if (connection === undefined) return;
    const { stream, open } = connection;
    const isTooFast = !this.#rate.take();
    if (isTooFast) connection.tooFast += 1;
    const isFull = open.size >= this.#limits.requestsPerConnectionMax;
    if (connection.isStreaming || isFull || connection.tooFast > tooFastMax) {
      stream.destroy();
      return;
    }
    connection.stopWait();
    const exchange = new Exchange(response, this.#timers, () => giveUp(connection, exchange));
    exchange.isTooFast = isTooFast;
    open.set(request, exchange);
    exchange.awaitBody(request);
    response.once('close', () => {
      open.delete(request);
      exchange.end();
      // If it was a stream, it was the only one.
      connection.isStreaming = false;
      if (open.size > 0) return;
      if (this.#closing) stream.destroy();
      else this.#awaitRequest(connection);
    });
  }

  #awaitRequest(connection: Connection): void {
    connection.stopWait();
    const { stream } = connection;
    if (stream.destroyed) return;
    connection.stopWait = this.#timers.after(channelLimits.idleMs, () => stream.destroy());
  }

  #forget(connection: Connection): void {
    connection.stopWait();
    this.#all.delete(connection.stream);
    // Node tells only the answer whose turn it was.
    for (const exchange of connection.open.values()) exchange.end();
    connection.open.clear();
    if (this.#all.size === 0) for (const tell of this.#whenNone) tell();
  }

  #untilNone(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((done) => this.#whenNone.add(done));
  }
}

/** An answer that only waits for the one before it is not its reader's fault. */
function giveUp({ stream, open }: Connection, exchange: Exchange): void {
  const [first] = open.values();
  if (first === exchange || first === undefined) stream.destroy();
  else exchange.awaitReader();
}
