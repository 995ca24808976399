/**
 * Requests as a version of unnest has sent them, byte by byte, and what it was answered: written down when it
 * was current, and sent again by every version after it. One file for each way: an operator's client, and an agent.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface Exchanged {
  readonly request: string;
  readonly status: number;
  /** JSON; of a stream its first line. */
  readonly answer: string;
}

const requestMark = '### request';
const answerMark = '### answered';

/** One after the other, with their lines ended by CR LF as sent, but shown without the CR. */
export function textOf(all: readonly Exchanged[]): string {
  return all
    .map(({ request, status, answer }) =>
      [requestMark, request.replaceAll('\r\n', '\n'), `${answerMark} ${status}`, answer].join('\n'),
    )
    .join('\n')
    .concat('\n');
}

export function exchangesIn(text: string): readonly Exchanged[] {
  return text
    .split(`${requestMark}\n`)
    .slice(1)
    .map((one) => {
      const [shown = '', rest = ''] = one.split(`\n${answerMark} `);
      const [status = '', ...answer] = rest.split('\n');
      const [head = '', body = ''] = shown.split('\n\n');
      const request = `${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`;
      return { request, status: Number(status), answer: answer.join('\n').trim() };
    });
}

/** Between somebody who asks and a server, at `path`: what passes, one exchange after the other. */
export async function recorder(path: string, server: string) {
  const exchanged: Exchanged[] = [];
  const proxy = createServer({ allowHalfOpen: true }, (from) => record(from, server, exchanged));
  await new Promise<void>((done) => proxy.listen(path, done));
  return { exchanged, close: () => proxy.close() };
}

function record(from: Socket, server: string, exchanged: Exchanged[]): void {
  const to = connect({ path: server, allowHalfOpen: true });
  for (const each of [from, to]) each.on('error', () => undefined);
  let request = '';
  let answer = '';
  from.on('data', (chunk: Buffer) => {
    request += chunk.toString();
    to.write(chunk);
  });
  to.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
    const whole = answerIn(answer);
    if (whole !== null && request !== '') {
      exchanged.push({ request, ...whole });
      request = '';
    }
    // Nobody asks for the next before it has all of this one.
    if (whole !== null && !whole.isStream) answer = '';
    from.write(chunk);
  });
  from.on('end', () => to.end());
  to.on('end', () => from.end());
  from.on('close', () => to.destroy());
  to.on('close', () => from.destroy());
}

/** As sent; what is answered is read to its end, of a stream its first line, and then it is left open in `streams`. */
export function send(
  path: string,
  request: string,
  streams: Socket[],
): Promise<Omit<Exchanged, 'request'>> {
  return new Promise((done, fail) => {
    const socket = connect(path);
    let text = '';
    socket.on('error', fail);
    socket.on('close', () => fail(new Error(`the connection ended: ${text}`)));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const whole = answerIn(text);
      if (whole === null) return;
      socket.removeAllListeners('close');
      if (whole.isStream) streams.push(socket);
      else socket.destroy();
      done(whole);
    });
    socket.write(request);
  });
}

/** Null: there is more to come. */
function answerIn(text: string) {
  const at = text.indexOf('\r\n\r\n');
  if (at < 0) return null;
  const head = text.slice(0, at);
  const body = text.slice(at + 4);
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) {
    const isWhole = Buffer.byteLength(body) >= Number(length);
    return isWhole ? { status, answer: body.trim(), isStream: false } : null;
  }
  // In chunks: the first line is the first chunk's.
  const line = body.split('\n').find((each) => each.startsWith('{'));
  return line === undefined || !body.includes(`${line}\n`)
    ? null
    : { status, answer: line.trim(), isStream: true };
}

/** What was said before and is not any more, or is of another kind; more may be said. */
export function lostIn(before: unknown, now: unknown, at = ''): readonly string[] {
  if (before === null) return [];
  if (Array.isArray(before)) {
    if (!Array.isArray(now)) return [at];
    return before.length === 0 ? [] : lostIn(before[0], now[0], `${at}[0]`);
  }
  if (typeof before !== 'object') return typeof now === typeof before ? [] : [at];
  if (typeof now !== 'object' || now === null) return [at];
  return Object.entries(before).flatMap(([key, value]) =>
    key in now
      ? lostIn(value, (now as Record<string, unknown>)[key], `${at}.${key}`)
      : [`${at}.${key}`],
  );
}
