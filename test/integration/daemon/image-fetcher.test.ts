/**
 * The real fetcher, in its sandbox, and servers that want something else than to give an image. Loopback is
 * a private address: who may connect to it is told so, as an operator would.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Fetched, fetchImage } from '../../../src/daemon/image-fetch.ts';
import { imageFetcher } from '../../../src/daemon/machine/image-fetcher.ts';
import type { HostAddress } from '../../../src/daemon/machine/fetch-addresses.ts';
import { systemFolders } from '../../../src/host/sandbox/programs.ts';
import { noWorkerPlaces } from '../../../src/host/worker-places.ts';
import { type ImageHost, parseImageUrl } from '../../../src/model/image-url.ts';
import { giving, type ImageServer, imageServer, redirecting } from '../../support/image-server.ts';
import { partition } from '../../support/passes.ts';
import { until } from '../../support/until.ts';
import { sandboxedBelow, temporaryFolder } from './sandboxed.ts';

const MiB = 2 ** 20;
const content = randomBytes(3 * MiB + 17);
const folder = temporaryFolder();
const program = new URL('../../../dist/bin/unnest-fetcher.js', import.meta.url).pathname;
const loopback: readonly HostAddress[] = [{ address: '127.0.0.1', family: 4 }];

let server: ImageServer;
const servers: ImageServer[] = [];
const serving = async (...of: Parameters<typeof imageServer>) => {
  const one = await imageServer(...of);
  servers.push(one);
  return one;
};
beforeAll(async () => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  if (!existsSync(program)) throw new Error('dist/ is not built: npm run build');
  server = await serving();
});
afterAll(async () => {
  for (const each of servers) await each.close();
  folder.remove();
});
afterEach(() => {
  // Whatever happens, nothing of it is left.
  expect(sandboxedBelow(process.pid)).toEqual([]);
});

interface Try {
  readonly of?: ImageServer;
  readonly hosts?: readonly Partial<ImageHost>[];
  /** Null: nobody ever says. */
  readonly addresses?: readonly HostAddress[] | null;
  readonly sizeBytes?: number;
  readonly before?: Uint8Array;
  readonly program?: string;
  readonly caFile?: string | null;
  /** How many times as fast as it is a clock goes. */
  readonly hurry?: number;
  readonly signal?: AbortSignal;
  /** Told how much is there, each time that more is. */
  readonly onBytes?: (length: number) => void;
}

const allowed = (more: Partial<ImageHost> = {}, of = server): ImageHost => ({
  host: 'mirror.test',
  port: of.port,
  privateAddresses: true,
  ...more,
});

/** @returns what has come of it, and what is there then */
async function fetched(given: Try = {}): Promise<Fetched & { readonly bytes: Buffer }> {
  const { of = server, addresses = loopback, hurry = 1, caFile = of.caFile } = given;
  const fetcher = imageFetcher({
    program: given.program ?? program,
    folders: systemFolders,
    places: noWorkerPlaces,
    caFile,
    resolve: async () => addresses ?? new Promise(() => undefined),
  });
  let bytes = Buffer.from(given.before ?? new Uint8Array(0));
  const tools = {
    fetcher,
    append: async (atByte: number, piece: Uint8Array) => {
      expect(atByte === 0 || atByte === bytes.length).toBe(true);
      bytes = Buffer.concat([bytes.subarray(0, atByte), piece]);
      given.onBytes?.(bytes.length);
      return bytes.length;
    },
    timers: {
      after: (ms: number, act: () => void) => {
        const timer = setTimeout(act, ms / hurry);
        return () => clearTimeout(timer);
      },
    },
  };
  const url = parseImageUrl(`https://mirror.test:${of.port}/debian.img?v=12`);
  if (url === null) throw new Error('it is one');
  const hosts = (given.hosts ?? [{}]).map((each) => allowed(each, of));
  const sizeBytes = given.sizeBytes ?? content.length;
  const wanted = { partition, url, sizeBytes, hosts, receivedBytes: bytes.length };
  const signal = given.signal ?? new AbortController().signal;
  return { ...(await fetchImage(wanted, tools, signal)), bytes };
}

const failure = async (given?: Try) => (await fetched(given)).failure;
const asked = () => server.asked.length;

test('an honest server gives all of it, and is told nothing but what is asked for', async () => {
  server.answer(giving(content));
  const { failure: why, bytes, isOfOneAnswer } = await fetched();
  expect(why).toBeNull();
  expect(isOfOneAnswer).toBe(true);
  expect(bytes.equals(content)).toBe(true);
  expect(server.asked.at(-1)).toEqual({
    target: '/debian.img?v=12',
    headers: {
      'user-agent': 'unnest',
      accept: '*/*',
      'accept-encoding': 'identity',
      host: `mirror.test:${server.port}`,
      connection: 'close',
    },
  });
});

test('one that breaks off is gone on with where it stopped', async () => {
  server.answer(giving(content, 2 * MiB));
  const first = await fetched({ onBytes: () => server.reset() });
  expect(first.failure).toMatchObject({ code: 'FetchFailed', retryable: true });
  expect(first.failure?.message).toMatch(
    /mirror\.test:\d+: the connection broke off \(ECONNRESET\)/,
  );
  // How much of what was under way comes after all, the kernel decides.
  const there = first.bytes.length;
  expect(there).toBeGreaterThanOrEqual(MiB);
  expect(first.bytes.equals(content.subarray(0, there))).toBe(true);
  server.answer(giving(content));
  const second = await fetched({ before: first.bytes });
  expect(server.asked.at(-1)?.headers.range).toBe(`bytes=${there}-`);
  expect(second).toMatchObject({ failure: null, isOfOneAnswer: false });
  expect(second.bytes.equals(content)).toBe(true);
});

test('a server without ranges is begun anew with, and so is one that has them wrong', async () => {
  const before = content.subarray(0, MiB);
  const whole = giving(content);
  server.answer((request, response) => {
    delete request.headers.range;
    whole(request, response);
  });
  const without = await fetched({ before });
  expect(without).toMatchObject({ failure: null, isOfOneAnswer: true });
  expect(without.bytes.equals(content)).toBe(true);

  for (const status of [206, 416]) {
    server.answer((request, response) => {
      if (request.headers.range === undefined) return whole(request, response);
      const range = `bytes 5-${content.length - 1}/${content.length}`;
      response.writeHead(status, { 'content-range': range }).end(content.subarray(5));
    });
    const anew = await fetched({ before });
    expect(anew).toMatchObject({ failure: null, isOfOneAnswer: true });
    expect(anew.bytes.equals(content)).toBe(true);
  }
});

test.each([
  ['another length than the document says', content.subarray(1), /and has 3145744/],
  ['a longer one', Buffer.concat([content, Buffer.alloc(1)]), /and has 3145746/],
])('%s is refused before a byte of it is taken', async (_what, bytes, says) => {
  server.answer(giving(bytes));
  const { failure: why, bytes: there } = await fetched();
  expect(why).toMatchObject({ code: 'LengthDiffers', retryable: false });
  expect(why?.message).toMatch(says);
  expect(there).toHaveLength(0);
});

test('a body that does not end is cut off at the last byte that may be', async () => {
  let isOpen = true;
  server.answer((_request, response) => {
    response.writeHead(200);
    const more = () => void (isOpen && response.write(Buffer.alloc(65_536), () => more()));
    response.on('close', () => (isOpen = false));
    more();
  });
  const { failure: why, bytes } = await fetched();
  expect(why).toMatchObject({ code: 'LengthDiffers', retryable: false });
  expect(why?.message).toMatch(/more have come/);
  expect(bytes.length).toBeLessThanOrEqual(content.length);
  await until('it is let go of', () => !isOpen);
});

test('a body that ends too early, and says that it has ended', async () => {
  server.answer((_request, response) => {
    response.writeHead(200);
    response.end(content.subarray(0, MiB));
  });
  expect(await failure()).toMatchObject({
    code: 'LengthDiffers',
    message: expect.stringContaining(`it has ended after ${MiB}`),
  });
});

test('a body that drips, and an answer that never begins, are not waited for', async () => {
  const slow = { code: 'FetchFailed', retryable: true };
  server.answer((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    const timer = setInterval(() => response.write('a'), 20);
    response.on('close', () => clearInterval(timer));
  });
  expect(await failure({ hurry: 20 })).toMatchObject(slow);
  server.answer(() => undefined);
  const why = await failure({ hurry: 20 });
  expect(why).toMatchObject(slow);
  expect(why?.message).toMatch(/^less than \d+ bytes have come in 30 s/);
});

test('endless headers, and endless answers before the answer', async () => {
  server.answer((_request, response) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\n');
    const more = () => void socket?.write(`x: ${'y'.repeat(1000)}\r\n`, (error) => error ?? more());
    more();
  });
  expect(await failure()).toMatchObject({
    message: expect.stringContaining('(HPE_HEADER_OVERFLOW)'),
  });
  server.answer((_request, response) => {
    const { socket } = response;
    const more = () =>
      void socket?.write(
        'HTTP/1.1 102 Processing\r\n\r\n',
        (error) => error ?? setTimeout(more, 5),
      );
    more();
  });
  expect(await failure({ hurry: 20 })).toMatchObject({ code: 'FetchFailed', retryable: true });
});

test('bytes that are packed are refused, whatever they were packed for', async () => {
  const packed = gzipSync(content);
  for (const headers of [
    { 'content-encoding': 'gzip' },
    { 'transfer-encoding': 'gzip, chunked' },
  ]) {
    server.answer((_request, response) => void response.writeHead(200, headers).end(packed));
    const why = await failure({ sizeBytes: packed.length });
    expect(why).toMatchObject({ code: 'FetchFailed', retryable: false });
    expect(why?.message).toMatch(/Content-Encoding/);
  }
});

test('an answer that is none: with its status, and tried again where that may help', async () => {
  for (const [status, retryable] of [
    [404, false],
    [403, false],
    [204, false],
    [503, true],
    [429, true],
  ] as const) {
    server.answer((_request, response) => void response.writeHead(status).end());
    const message = expect.stringContaining(`it has answered ${status}`);
    expect(await failure()).toMatchObject({ code: 'FetchFailed', message, retryable });
  }
});

test('another protocol that it wants to speak', async () => {
  server.answer((_request, response) => {
    response.socket?.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  });
  expect(await failure()).toMatchObject({ code: 'FetchFailed' });
});

test('it is followed to a host that is allowed, and the certificate is that one’s', async () => {
  const other = await serving({ name: 'other.test' });
  other.answer(giving(content));
  server.answer(redirecting(`https://other.test:${other.port}/there#part`));
  // Both have signed for themselves only: the CA of the one is not that of the other.
  expect(await failure({ hosts: [{}, { host: 'other.test', port: other.port }] })).toMatchObject({
    code: 'FetchFailed',
    message: expect.stringContaining('its certificate is not trusted'),
  });
  const trusted = join(folder.path, 'both.pem');
  const { readFileSync } = await import('node:fs');
  writeFileSync(trusted, readFileSync(server.caFile, 'utf8') + readFileSync(other.caFile, 'utf8'));
  const { failure: why, bytes } = await fetched({
    caFile: trusted,
    hosts: [{}, { host: 'other.test', port: other.port }],
  });
  expect(why).toBeNull();
  expect(bytes.equals(content)).toBe(true);
  expect(other.asked.at(-1)?.target).toBe('/there');
});

test.each([
  ['this host', 'https://127.0.0.1/'],
  ['this host, spelt otherwise', 'https://0x7f.1/'],
  ['this host, by IPv6', 'https://[::1]/'],
  ['the credentials of a cloud', 'http://169.254.169.254/latest/meta-data/'],
  ['another host', 'https://internal.test/'],
  ['another port', 'https://mirror.test:22/'],
  ['no https', 'http://mirror.test/'],
  ['a file', 'file:///etc/shadow'],
  ['somebody’s name and password', 'https://user:word@mirror.test/'],
  ['nowhere', 'https://'],
])('it does not follow to %s', async (_what, to) => {
  const before = asked();
  server.answer(redirecting(to));
  const why = await failure();
  expect(why).toMatchObject({ code: 'RedirectNotAllowed', retryable: false });
  // Where it leads is nobody's to know. (The port that this server was given may have any digits.)
  const said = why?.message.replace(`mirror.test:${server.port}: `, '') ?? '';
  expect(said).not.toMatch(/127|169|internal|shadow|22/);
  expect(said).not.toBe(why?.message);
  expect(asked()).toBe(before + 1);
});

test('it does not go round in circles', async () => {
  const before = asked();
  server.answer(redirecting('/again', 308));
  expect(await failure()).toMatchObject({ message: expect.stringContaining('leads on') });
  expect(asked()).toBe(before + 6);
});

test.each([
  ['of another name', { name: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['that has signed itself', { byCa: false }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['that is over', { isOver: true }, 'CERT_HAS_EXPIRED'],
])('a certificate %s', async (_what, certificate, reason) => {
  const of = await serving(certificate);
  of.answer(giving(content));
  expect(await failure({ of })).toEqual({
    code: 'FetchFailed',
    message: `mirror.test:${of.port}: its certificate is not trusted (${reason})`,
    retryable: false,
  });
  expect(of.asked).toEqual([]);
});

test('one of a CA that nobody has told us to trust', async () => {
  expect(await failure({ caFile: null })).toMatchObject({
    message: expect.stringMatching(/not trusted \((?:UNABLE_TO_\w+|SELF_SIGNED_CERT_IN_CHAIN)\)/),
  });
});

test('a server that speaks no TLS', async () => {
  const plain = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((done) => plain.listen(0, '127.0.0.1', done));
  const { port } = plain.address() as AddressInfo;
  const of = { ...server, port };
  expect(await failure({ of })).toMatchObject({ code: 'FetchFailed', retryable: true });
  await new Promise((done) => plain.close(done));
});

test('a name that leads to a private address, unless the operator allows it', async () => {
  server.answer(giving(content));
  const before = asked();
  const why = await failure({ hosts: [{ privateAddresses: false }] });
  expect(why).toMatchObject({ code: 'AddressNotAllowed', retryable: false });
  // The port that this server was given may have any digits.
  expect(why?.message.replace(`mirror.test:${server.port}: `, '')).not.toContain('127');
  // Not even then.
  for (const [address, family] of [
    ['0.0.0.0', 4],
    ['169.254.169.254', 4],
    ['::ffff:127.0.0.1', 6],
    ['fe80::1', 6],
  ] as const) {
    expect(await failure({ addresses: [{ address, family }] })).toMatchObject({
      code: 'AddressNotAllowed',
    });
  }
  expect(asked()).toBe(before);
  expect((await fetched()).failure).toBeNull();
});

test('nobody at the other end, and a name that nobody knows', async () => {
  const gone = { ...server, port: 1 };
  const nobody = expect.stringContaining('nobody takes a connection there');
  expect(await failure({ of: gone })).toMatchObject({ message: nobody, retryable: true });
  expect(await failure({ addresses: null, hurry: 100 })).toMatchObject({ retryable: true });
});

test('it ends at once when it is told to', async () => {
  const ending = new AbortController();
  server.answer((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 10), () => ending.abort());
  });
  await fetched({ signal: ending.signal });
  expect(sandboxedBelow(process.pid)).toEqual([]);
});

test('it has no way to anybody but by the connection that it is given', async () => {
  const listening = await serving();
  const code = `
    import { connect } from 'node:net';
    import { readdirSync, existsSync } from 'node:fs';
    import { lookup } from 'node:dns';
    const tell = (what) => process.stdout.write(what + ';');
    process.stdout.write('0\\n');
    for (const path of ['/etc', '/proc', '/run', '/tmp']) tell(path + existsSync(path));
    tell(JSON.stringify(process.env));
    connect({ host: '127.0.0.1', port: ${listening.port} })
      .on('connect', () => tell('connected'))
      .on('error', ({ code }) => lookup('localhost', (error) => {
        tell(code);
        tell(error.code);
        process.exit();
      }));
  `;
  const taken = join(folder.path, 'taken.mjs');
  writeFileSync(taken, code);
  const { bytes } = await fetched({ program: taken });
  expect(bytes.toString()).toMatch(
    /^\/etcfalse;\/procfalse;\/runfalse;\/tmpfalse;\{.*\};(?!connected)[A-Z_0-9]+;[A-Z_0-9]+;$/,
  );
  // There is somebody there.
  const there = connect({ host: '127.0.0.1', port: listening.port });
  await once(there, 'connect');
  there.destroy();
});

test.each([
  [
    'gives more than there is',
    `process.stdout.write('0\\n'); for (;;) await new Promise((d) => process.stdout.write(Buffer.alloc(65536), d));`,
    /more have come/,
  ],
  [
    'says that it begins elsewhere',
    `process.stdout.write('7\\nabc'); setInterval(() => {}, 1000);`,
    /without a word/,
  ],
  [
    'begins with no line',
    `process.stdout.write(Buffer.alloc(100)); setInterval(() => {}, 1000);`,
    /without a word/,
  ],
  [
    'never stops complaining',
    `for (;;) await new Promise((d) => process.stderr.write('x'.repeat(10000), d));`,
    /without a word/,
  ],
  [
    'lies about its end',
    `process.stderr.write(JSON.stringify({ end: 'broken', reason: 'see http://x' }));`,
    /without a word/,
  ],
  [
    'leads to where it may not',
    `process.stderr.write(JSON.stringify({ end: 'redirected', to: 'https://127.0.0.1/' }));`,
    /policy\.imageHosts/,
  ],
  [
    'says that it is done',
    `process.stderr.write(JSON.stringify({ end: 'complete' }));`,
    /ended after 0/,
  ],
  ['ends', `process.exit(3);`, /without a word/],
])('one that was taken over and %s', async (_what, code, says) => {
  const taken = join(folder.path, 'taken.mjs');
  writeFileSync(taken, code);
  const { failure: why, bytes } = await fetched({ program: taken });
  expect(why?.message).toMatch(says);
  expect(bytes.length).toBeLessThanOrEqual(content.length);
});
