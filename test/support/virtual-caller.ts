/** Somebody who speaks HTTP over a stream in memory: all that is heard, and one request at a time. */
import type { Duplex } from 'node:stream';

export interface Caller {
  readonly stream: Duplex;
  /** All that has come so far. */
  readonly heard: () => string;
  readonly isEnded: () => boolean;
  /** @returns what has come of it, once everything has settled */
  ask(method: string, path: string, body?: object): Promise<string>;
}

/** fastify makes itself ready over some turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((done) => setImmediate(done));
}

export function callerOn(stream: Duplex): Caller {
  let text = '';
  let ended = false;
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  stream.on('error', () => undefined);
  stream.on('end', () => (ended = true));
  stream.on('close', () => (ended = true));
  return {
    stream,
    heard: () => text,
    isEnded: () => ended,
    ask: async (method, path, body) => {
      const from = text.length;
      const payload = body === undefined ? '' : JSON.stringify(body);
      const type = body === undefined ? [] : ['content-type: application/json'];
      const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(payload)}`];
      const head = [`${method} ${path} HTTP/1.1`, 'host: x', ...type, ...length];
      stream.write(`${head.join('\r\n')}\r\n\r\n${payload}`);
      await settled();
      return text.slice(from);
    },
  };
}

export function bodyOf(answer: string): Record<string, unknown> {
  return JSON.parse(answer.split('\r\n\r\n')[1] || 'null') as Record<string, unknown>;
}
