/**
 * The program that fetches an Image, in the sandbox of `daemon/machine/sandbox.ts`: it has no network, and one
 * connection, which unnestd has made to an address that it has looked at. On that it speaks TLS and HTTP/1.1
 * for one request. It knows no name, no proxy, no cookie and no credential, and follows nothing: where a
 * redirect leads it says, and another one of it is started for that, or is not.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { connect, rootCertificates } from 'node:tls';
import {
  connectionDescriptor,
  type FetcherEnd,
  type FetcherRequest,
} from '../daemon/machine/fetch-protocol.ts';

const redirects = new Set([301, 302, 303, 307, 308]);

let isOver = false;
function over(end: FetcherEnd): void {
  if (isOver) return;
  isOver = true;
  // What was handed on comes first.
  process.stdout.write('', () => process.stderr.write(JSON.stringify(end), () => process.exit(0)));
}

process.on('uncaughtException', failed);

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
// Only unnestd can write here.
const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as FetcherRequest;
const { host, port, target, atByte, ca } = asked;

const request = httpsRequest({
  host,
  port,
  path: target,
  headers: {
    'user-agent': 'unnest',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...(atByte === 0 ? {} : { range: `bytes=${atByte}-` }),
  },
  createConnection: () =>
    connect({
      socket: new Socket({ fd: connectionDescriptor }),
      servername: host,
      ca: [...rootCertificates, ...(ca === null ? [] : [ca])],
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    }),
});
request.on('response', (response) => void answered(response).catch(failed));
request.on('error', failed);
// Also where there was no answer, and no error.
request.on('close', () => setImmediate(() => over({ end: 'broken', reason: 'CLOSED' })));
request.end();

async function answered(response: IncomingMessage): Promise<void> {
  // Of the answer, not of the request, which has been closed by the end of it.
  request.removeAllListeners('close');
  const refusal = refusalOf(response);
  if (refusal !== null) return over(refusal);
  const begins = response.statusCode === 206 ? atByte : 0;
  process.stdout.write(`${begins}\n`);
  await pipeline(response, process.stdout, { end: false });
  over(response.complete ? { end: 'complete' } : { end: 'broken', reason: 'ECONNRESET' });
}

function refusalOf({ statusCode = 0, headers }: IncomingMessage): FetcherEnd | null {
  const { location } = headers;
  if (redirects.has(statusCode) && location !== undefined) return redirected(location);
  if (statusCode !== 200 && statusCode !== 206) return { end: 'status', status: statusCode };
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return { end: 'encoded' };
  if ((headers['transfer-encoding'] ?? 'chunked') !== 'chunked') return { end: 'encoded' };
  return statusCode === 206 ? rangeProblem(headers) : lengthProblem(headers, asked.sizeBytes);
}

function redirected(location: string): FetcherEnd {
  try {
    const to = new URL(location, `https://${host}:${port}${target}`);
    to.hash = '';
    return { end: 'redirected', to: to.href };
  } catch {
    return { end: 'redirected', to: '' };
  }
}

function rangeProblem(headers: IncomingMessage['headers']): FetcherEnd | null {
  const [, from, to, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  if (atByte === 0 || Number(from) !== atByte) return { end: 'elsewhere' };
  if (Number(all) !== asked.sizeBytes) return { end: 'length', bytes: Number(all) };
  if (Number(to) !== asked.sizeBytes - 1) return { end: 'elsewhere' };
  return lengthProblem(headers, asked.sizeBytes - atByte);
}

function lengthProblem(headers: IncomingMessage['headers'], wanted: number): FetcherEnd | null {
  const length = headers['content-length'];
  if (length === undefined || Number(length) === wanted) return null;
  return { end: 'length', bytes: Number(length) + asked.sizeBytes - wanted };
}

function failed(error: NodeJS.ErrnoException): void {
  const { code = '' } = error;
  const reason = /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'UNKNOWN';
  // Of OpenSSL's checks, and Node's of the name in it.
  const isCertificate =
    /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|INVALID_CA|ERR_TLS_CERT_)/.test(
      reason,
    );
  over({ end: isCertificate ? 'certificate' : 'broken', reason });
}
