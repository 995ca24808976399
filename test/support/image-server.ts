/** A web server on loopback that has images, with certificates of a CA of its own, and behaves as told. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Asked {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

export interface ImageServer {
  readonly port: number;
  /** Of those whom clients are to trust. */
  readonly caFile: string;
  /** In order. */
  readonly asked: readonly Asked[];
  /** From now on, to whatever it is asked for. */
  answer(how: Answer): void;
  /** Whoever is connected, as the kernel does it when a machine is gone. */
  reset(): void;
  close(): Promise<void>;
}

export interface Certificate {
  /** Default: `mirror.test`. */
  readonly name?: string;
  /** Default: true; else it has signed itself. */
  readonly byCa?: boolean;
  /** Default: it is valid now. */
  readonly isOver?: boolean;
}

const openssl = (cwd: string, ...args: readonly string[]) =>
  execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function makeCertificate(
  folder: string,
  { name = 'mirror.test', byCa = true, isOver = false }: Certificate,
) {
  const named = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const authority = ['-subj', '/CN=a CA of the tests'];
  openssl(folder, 'req', '-x509', ...key, ...authority, '-keyout', 'ca.key', '-out', 'ca.pem');
  if (!byCa) {
    openssl(folder, 'req', '-x509', ...key, ...named, '-keyout', 'own.key', '-out', 'own.pem');
    return;
  }
  openssl(folder, 'req', ...key, ...named, '-keyout', 'own.key', '-out', 'own.csr');
  writeFileSync(join(folder, 'own.ext'), `subjectAltName=DNS:${name}\n`);
  const days = isOver ? ['-days', '-1'] : ['-days', '2'];
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'own.ext'];
  openssl(folder, 'x509', '-req', '-in', 'own.csr', ...by, ...days, '-out', 'own.pem');
}

export async function imageServer(certificate: Certificate = {}): Promise<ImageServer> {
  const folder = mkdtempSync(join(tmpdir(), 'image-server-'));
  makeCertificate(folder, certificate);
  const asked: Asked[] = [];
  let answer: Answer = (_request, response) => response.writeHead(404).end();
  const options = {
    key: readFileSync(join(folder, 'own.key')),
    cert: readFileSync(join(folder, 'own.pem')),
  };
  const server = createServer(options, (request, response) => {
    asked.push({ target: request.url ?? '', headers: request.headers });
    // Of one that the client has let go of.
    response.on('error', () => undefined);
    answer(request, response);
  });
  /** Below TLS, and of those who have not come so far, too. */
  const connections = new Set<Socket>();
  // Of TLS servers, Node's types know their own events only.
  (server as Server).on('connection', (socket) => {
    connections.add(socket);
    socket.on('error', () => undefined).on('close', () => connections.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    // Border: it listens on TCP.
    port: (server.address() as AddressInfo).port,
    caFile: join(folder, 'ca.pem'),
    asked,
    answer: (how) => (answer = how),
    reset: () => connections.forEach((socket) => socket.resetAndDestroy()),
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      // Node's own `closeAllConnections` knows nothing of one without a handshake, which it ends after 120 s.
      connections.forEach((socket) => socket.destroy());
      await closed;
      rmSync(folder, { recursive: true });
    },
  };
}

/** As an honest one does, by ranges too. @param until after that many bytes of the whole no more come */
export function giving(bytes: Uint8Array, until = bytes.length): Answer {
  return ({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const length = bytes.length - from;
    if (from > 0) {
      const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { 'content-range': range, 'content-length': length });
    } else response.writeHead(200, { 'content-length': length });
    const piece = bytes.subarray(from, until);
    if (until >= bytes.length) response.end(piece);
    else response.write(piece);
  };
}

export const redirecting =
  (location: string, status = 302): Answer =>
  (_request, response) =>
    void response.writeHead(status, { location }).end();
