/**
 * Streams of the API: one JSON value a line, for as long as the reader keeps up. One that does not is
 * disconnected, so that nobody has to wonder what was left out; it asks again from where it was.
 */
import type { ServerResponse } from 'node:http';
import type { LineSource } from './answered.ts';
import { channelLimits } from './limits.ts';

const LINES_TYPE = 'application/x-ndjson';

/** Ends with the reader, with the source, or by what it returns: how to end all streams there are. */
export class Streams {
  readonly #open = new Set<() => void>();
  readonly #onBug: (error: unknown) => void;

  constructor(onBug: (error: unknown) => void) {
    this.#onBug = onBug;
  }

  begin(response: ServerResponse, source: LineSource): void {
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
    };
    response.once('close', finish);
    response.on('error', finish);
    this.#open.add(end);
    const send = (value: unknown) => {
      if (ended) return;
      if (response.writableLength > channelLimits.unreadBytesMax) response.destroy();
      else response.write(`${JSON.stringify(value)}\n`);
    };
    try {
      stop = source(send, end);
    } catch (error) {
      this.#onBug(error);
      response.destroy();
    }
    // It may have ended while it began.
    if (ended) finish();
  }

  endAll(): void {
    for (const end of this.#open) end();
  }
}
