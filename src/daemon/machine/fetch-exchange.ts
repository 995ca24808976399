/** What goes on with one fetcher, from its request to its end. Whatever comes out of it is hostile. */
import type { ChildProcess } from 'node:child_process';
import * as z from 'zod';
import { isSandboxComplaint } from '../../host/sandbox/programs.ts';
import { endSandboxed, letBegin } from '../../host/sandbox/start.ts';
import type { WorkerPlace } from '../../host/worker-places.ts';
import { type FetchEnd, fetchFailed, type FetchTaker } from '../image-fetcher.ts';
import type { FetcherEnd, FetcherRequest } from './fetch-protocol.ts';
import { messageOf, type Started } from './sandboxed-node.ts';

/** Of what it says at its end, where a redirect may lead to. */
const wordsBytesMax = 8192;
/** Of the line in front of what it hands on: a number. */
const lineBytesMax = 20;

const reason = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/);
const fetcherEnd: z.ZodType<FetcherEnd> = z.discriminatedUnion('end', [
  z.strictObject({ end: z.literal('complete') }),
  z.strictObject({ end: z.literal('redirected'), to: z.string().max(4096) }),
  z.strictObject({ end: z.literal('status'), status: z.int().min(0).max(999) }),
  z.strictObject({ end: z.literal('length'), bytes: z.int().min(0) }),
  z.strictObject({ end: z.literal('encoded') }),
  z.strictObject({ end: z.literal('elsewhere') }),
  z.strictObject({ end: z.literal('broken'), reason }),
  z.strictObject({ end: z.literal('certificate'), reason }),
]);

/** @throws what the taker has thrown, once nothing is left of the fetcher */
export async function exchange(
  { child, filter }: Started,
  place: WorkerPlace | null,
  asked: FetcherRequest,
  taker: FetchTaker,
  signal: AbortSignal,
): Promise<FetchEnd> {
  const kill = () => endSandboxed(child);
  const over = new AbortController();
  const closed = closing(child).then(() => over.abort());
  const words = lastWords(child);
  const placed = letBegin(child, place, filter, over.signal).then(() => null, messageOf);
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  // Of one that has ended; its end says more.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(JSON.stringify(asked));
  try {
    if (!(await isHandedOn(child, asked, taker))) kill();
  } catch (error) {
    kill();
    throw error;
  } finally {
    await closed;
    signal.removeEventListener('abort', kill);
    await place?.left();
  }
  const problem = await placed;
  return problem === null ? endFrom(words(), asked) : failed(problem);
}

function closing(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('close', () => done());
    child.once('error', () => {
      // Nothing was started, so nothing will be closed.
      if (child.pid === undefined) done();
    });
  });
}

/** One that says more is ended, whatever it has to say. */
function lastWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words += chunk.toString('latin1');
    if (words.length > wordsBytesMax) endSandboxed(child);
  });
  return () => words.slice(0, wordsBytesMax);
}

/** @returns false: it says what it must not */
async function isHandedOn(
  { stdout }: ChildProcess,
  asked: FetcherRequest,
  taker: FetchTaker,
): Promise<boolean> {
  if (stdout === null) return true;
  let line: Buffer | null = Buffer.alloc(0);
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    if (line === null) {
      await taker.take(chunk);
      continue;
    }
    line = Buffer.concat([line, chunk]);
    const end = line.indexOf('\n');
    if (end < 0 && line.length <= lineBytesMax) continue;
    const atByte = Number(line.toString('latin1', 0, Math.max(end, 0)) || Number.NaN);
    if (atByte !== 0 && atByte !== asked.atByte) return false;
    taker.begins(atByte);
    const rest: Buffer = line.subarray(end + 1);
    line = null;
    if (rest.length > 0) await taker.take(rest);
  }
  return true;
}

const failed = (message: string, retryable = true): FetchEnd => ({
  kind: 'failed',
  ...fetchFailed(message, retryable),
});

function endFrom(words: string, { sizeBytes }: FetcherRequest): FetchEnd {
  if (isSandboxComplaint(words)) {
    // A fetcher that was taken over can write the same: what is said of it stays short and plain.
    const plain = words
      .replace(/[^ -~]+/g, ' ')
      .trim()
      .slice(0, 200);
    return failed(`the sandbox cannot be made: ${plain}`);
  }
  const said = fetcherEnd.safeParse(jsonOf(words));
  if (!said.success) return failed('the fetcher has ended without a word');
  const end = said.data;
  switch (end.end) {
    case 'complete':
      return { kind: 'complete' };
    case 'redirected':
      return { kind: 'redirected', to: end.to };
    case 'status':
      return statusEnd(end.status);
    case 'length': {
      const message = `it was to have ${sizeBytes} bytes, and has ${end.bytes}`;
      return { kind: 'failed', code: 'LengthDiffers', message, retryable: false };
    }
    case 'encoded':
      return failed('it packs what it sends (Content-Encoding)', false);
    case 'elsewhere':
      return { kind: 'not-resumed' };
    case 'broken':
      return failed(`the connection broke off (${end.reason})`);
    case 'certificate':
      return failed(`its certificate is not trusted (${end.reason})`, false);
  }
}

const rangeNotSatisfiable = 416;
/** Too early, too often, too slow: that may be otherwise later. */
const passing = new Set([408, 425, 429]);

function statusEnd(status: number): FetchEnd {
  if (status === rangeNotSatisfiable) return { kind: 'not-resumed' };
  return failed(`it has answered ${status}`, status >= 500 || passing.has(status));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
