/** A stream of the API on the reader's side: lines of JSON, bounded, each checked. */
import type * as z from 'zod';
import { DaemonError } from './daemon-error.ts';
import {
  answerBytesMax,
  brokenOff,
  request,
  type Transport,
  understood,
  type Wish,
} from './client-transport.ts';

/** One status is one line. */
const lineCharactersMax = answerBytesMax;

/**
 * Resolves once the daemon has begun to say what happens, so that nothing that is asked for after
 * that can be missed. The values end when the daemon ends them, and when the signal fires; a
 * connection that breaks throws.
 * @throws DaemonError, and nothing else, here and while the values are read
 */
export async function openLines<T>(
  transport: Transport,
  wish: Wish,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<AsyncIterable<T>> {
  const response = await request(transport, wish, signal);
  return valuesOf(response, wish, schema, signal);
}

async function* valuesOf<T>(
  chunks: AsyncIterable<Uint8Array>,
  wish: Wish,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  for await (const line of linesOf(chunks, signal)) yield understood(schema, line, wish);
}

async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let length = 0;
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const chunk = await nextOf(iterator, signal);
      if (chunk === null) return;
      const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
      rest.push(first);
      length += first.length;
      if (length > lineCharactersMax) throw new DaemonError('NotUnderstood', 'a line without end');
      if (others.length === 0) continue;
      yield rest.join('');
      yield* others.slice(0, -1);
      rest = [others.at(-1) ?? ''];
      length = rest[0]?.length ?? 0;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Null when there is no more, and when nobody wants more. */
async function nextOf(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  try {
    const { done, value } = await iterator.next();
    return done === true ? null : value;
  } catch (cause) {
    if (signal.aborted) return null;
    throw brokenOff(cause, signal);
  }
}
