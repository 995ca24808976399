/**
 * Streams of the API: one JSON value a line, for as long as the reader keeps up. One that does not is
 * disconnected, so that nobody has to wonder what was left out; it asks again from where it was.
 */
import type { ServerResponse } from 'node:http';
import type { LineSource } from './answered.ts';
import type { Connections } from './connections.ts';
import type { Exchange } from './exchange.ts';
import { channelLimits } from './limits.ts';

const LINES_TYPE = 'application/x-ndjson';

export interface StreamsOptions {
  readonly connections: Pick<Connections, 'hasRoomFor'>;
  /** As JSON. */
  readonly textOf: (value: unknown) => string;
  readonly onBug: (error: unknown) => void;
  readonly max: number;
  /** A line that whoever has read all before is given in any case. */
  readonly keptUpBytesMax: number;
}

/** Each ends with its reader, with its source, or when all are ended. */
export class Streams {
  readonly #open = new Set<() => void>();
  readonly #options: StreamsOptions;
  /** Of values that are told, for as long as somebody has them. */
  readonly #lines = new WeakMap<object, string>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#options.max;
  }

  begin(response: ServerResponse, exchange: Exchange, source: LineSource): void {
    response.writeHead(200, { 'content-type': LINES_TYPE, 'cache-control': 'no-store' });
    // Whoever has these headers has subscribed, also when there is nothing to say yet.
    response.flushHeaders();
    let stop: (() => void) | null = null;
    let ended = false;
    const finish = () => {
      ended = true;
      stop?.();
      stop = null;
      this.#open.delete(end);
    };
    const end = () => {
      if (ended) return;
      finish();
      response.end();
      exchange.awaitReader();
    };
    exchange.whenOver(finish);
    response.on('error', finish);
    response.on('drain', () => {
      if (!ended) exchange.readerIsBack();
    });
    this.#open.add(end);
    const send = (value: unknown) => {
      if (!ended) this.#write(response, exchange, value);
    };
    try {
      stop = source(send, end);
    } catch (error) {
      this.#options.onBug(error);
      response.destroy();
    }
    // It may have ended while it began.
    if (ended) finish();
  }

  endAll(): void {
    for (const end of this.#open) end();
  }

  #write(response: ServerResponse, exchange: Exchange, value: unknown): void {
    const line = this.#lineOf(value);
    if (this.#isTooSlow(response, line.length)) response.destroy();
    else if (!response.write(line)) exchange.awaitReader();
  }

  /** Many listen to the same, and a status may be of megabytes. */
  #lineOf(value: unknown): string {
    const { textOf } = this.#options;
    if (typeof value !== 'object' || value === null) return `${textOf(value)}\n`;
    const known = this.#lines.get(value);
    if (known !== undefined) return known;
    const line = `${textOf(value)}\n`;
    this.#lines.set(value, line);
    return line;
  }

  /** A reader that has kept up is never punished for the others, but where its line is more than its share. */
  #isTooSlow({ writableLength }: ServerResponse, bytes: number): boolean {
    const { connections, keptUpBytesMax } = this.#options;
    if (writableLength === 0) return bytes > keptUpBytesMax && !connections.hasRoomFor(bytes);
    const isBehind = writableLength + bytes > channelLimits.unreadBytesMax;
    return isBehind || !connections.hasRoomFor(bytes);
  }
}
