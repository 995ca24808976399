/**
 * Requests over a stream to unnestd, and what can go wrong with them, as one kind of error. `node:http`
 * is loaded at the first request only: most commands never make one.
 */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import type * as z from 'zod';
import { problemAnswer } from './client-answers.ts';
import { DaemonError } from './daemon-error.ts';
import { BYTES_TYPE } from './messages.ts';

export interface Wish {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  /** Bytes as they are, anything else as JSON. Undefined: none. */
  readonly body?: unknown;
  /** Beside those of the body. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How to get to whoever answers. */
export interface Transport {
  /** For messages: the path of a socket, or what else it is. */
  readonly name: string;
  readonly options: Pick<RequestOptions, 'socketPath' | 'agent'>;
}

/** Each request is a connection of its own: on a Unix socket that costs nothing, and nothing is left open. */
export function unixTransport(path: string): Transport {
  return { name: path, options: { socketPath: path, agent: false } };
}

/** A status of 20,000 Secondaries is some 10 MiB, and 160 where each has much to complain of. */
export const answerBytesMax = 192 * 2 ** 20;

/** @throws DaemonError, and nothing else */
export async function ask<T>(
  transport: Transport,
  wish: Wish,
  answer: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const response = await request(transport, wish, signal);
  const text = await bodyOf(response, signal);
  return understood(answer, text, wish);
}

/** The answer's headers have come, and they are those of success; its body is still to be read. */
export async function request(
  transport: Transport,
  wish: Wish,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const response = await send(transport, wish, signal);
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return response;
  throw refusalIn(await bodyOf(response, signal), statusCode, wish);
}

async function send(
  transport: Transport,
  { method, path, body, headers: more = {} }: Wish,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const http = await import('node:http');
  const payload = body === undefined || isBytes(body) ? body : JSON.stringify(body);
  const headers =
    payload === undefined
      ? more
      : {
          ...more,
          'content-type': isBytes(payload) ? BYTES_TYPE : 'application/json',
          'content-length': Buffer.byteLength(payload),
        };
  return new Promise((done, fail) => {
    // As many requests may be under way at once as somebody makes.
    setMaxListeners(0, signal);
    const options = { ...transport.options, path, method, headers, signal };
    const asking = http.request(options, done);
    // Also after the answer has begun, when the error is that of reading it.
    asking.on('error', (error) => fail(connectionError(transport, error, signal)));
    // A request that waits for a connection of the agent's does not hear of it.
    const giveUp = () => fail(brokenOff(signal.reason, signal));
    signal.addEventListener('abort', giveUp, { once: true });
    asking.once('close', () => signal.removeEventListener('abort', giveUp));
    asking.end(payload);
  });
}

function isBytes(body: unknown): body is Uint8Array {
  return body instanceof Uint8Array;
}

async function bodyOf(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Uint8Array);
      length += (chunk as Uint8Array).length;
      if (length > answerBytesMax) throw new Error(`more than ${answerBytesMax} bytes`);
    }
  } catch (cause) {
    throw brokenOff(cause, signal);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Of an answer or a stream that ends in the middle. */
export function brokenOff(cause: unknown, signal: AbortSignal): DaemonError {
  if (signal.aborted) return new DaemonError('Cancelled', 'interrupted while unnestd was asked');
  return new DaemonError('Broken', 'unnestd has broken off in the middle of an answer', { cause });
}

export function understood<T>(schema: z.ZodType<T>, text: string, { method, path }: Wish): T {
  const checked = schema.safeParse(jsonIn(text));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const cause = issue && new Error(`${issue.path.join('.')}: ${issue.message}`);
  throw new DaemonError('NotUnderstood', `what unnestd answers to ${method} ${path} is not known`, {
    cause,
  });
}

function refusalIn(text: string, status: number, { method, path }: Wish): DaemonError {
  const checked = problemAnswer.safeParse(jsonIn(text));
  if (!checked.success) {
    return new DaemonError('NotUnderstood', `unnestd answers ${status} to ${method} ${path}`);
  }
  const { code, detail, diagnostics = [] } = checked.data;
  return new DaemonError(code, detail, { diagnostics });
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function connectionError(
  { name }: Transport,
  cause: NodeJS.ErrnoException,
  signal: AbortSignal,
): DaemonError {
  if (signal.aborted) return brokenOff(cause, signal);
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') {
    return new DaemonError('NotRunning', `unnestd does not answer on ${name}`, { cause });
  }
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new DaemonError('NotAllowed', `${name} is not for this user`, { cause });
  }
  return new DaemonError('Broken', `talking to unnestd on ${name}`, { cause });
}
