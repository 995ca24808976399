/** Orders whose answer is lost on the way: given again with the same key, by a client that may. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { DaemonError } from '../../../src/channel/daemon-error.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { teamA, web } from './fake-control.ts';

const { signal } = new AbortController();
let place: ApiPlace;
let folder: string;
let socket: string;
let server: Server;
/** What is done with the next connections that bring an order, one after the other; else they are passed on. */
let fates: ('cut after the order' | 'cut before the order')[];
let waited: number[];
/** What comes back is what a daemon of before would say: nothing of what was added. */
let isOlder: boolean;

beforeEach(async () => {
  place = await apiPlace();
  folder = mkdtempSync(join(tmpdir(), 'unnest-again-'));
  socket = join(folder, 'between.sock');
  fates = [];
  waited = [];
  isOlder = false;
  server = createServer({ allowHalfOpen: true }, passOn);
  await new Promise<void>((done) => server.listen(socket, done));
});
afterEach(async () => {
  server.close();
  await place.dispose();
  rmSync(folder, { recursive: true });
});

function passOn(from: Socket): void {
  const to = connect(place.socket);
  for (const each of [from, to]) each.on('error', () => undefined);
  from.once('data', (first: Buffer) => {
    const fate = first.toString().startsWith('POST') ? fates.shift() : undefined;
    if (fate === 'cut before the order') return void from.destroy();
    to.write(first);
    from.pipe(to);
    if (fate === undefined) (isOlder ? to.pipe(forgetful()) : to).pipe(from);
    else to.once('data', () => from.destroy());
  });
  from.once('close', () => to.destroy());
}

const forgetful = () =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) =>
      done(null, chunk.toString().replace('"features"', '"fewtures"')),
  });

const again = () => {
  let keys = 0;
  return {
    newKey: () => `key-${(keys += 1)}`,
    sleep: async (ms: number) => void waited.push(ms),
  };
};
const orders = () => place.calls.filter(({ method }) => method === 'power');
const keys = () => orders().map(({ args }) => args[4]);
const codeOf = async (asking: Promise<unknown>) =>
  asking.catch((error: unknown) => (error instanceof DaemonError ? error.code : error));

describe('an order', () => {
  test('whose answer is lost is given again with the same key', async () => {
    fates = ['cut after the order', 'cut before the order'];
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await client.power(teamA, web, 'restart', signal)).toBe('taken down');
    const key = { key: 'key-1', party: 'uid 1000' };
    expect(keys()).toEqual([key, key]);
    expect(waited).toEqual([100, 300]);
    expect(await client.power(teamA, web, 'restart', signal)).toBe('taken down');
    expect(keys()[2]).toEqual({ ...key, key: 'key-2' });
  });

  test('that is refused is not', async () => {
    place.answer = { status: 'refused', code: 'RunPolicy', message: 'no' };
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await codeOf(client.power(teamA, web, 'stop', signal))).toBe('RunPolicy');
    expect(orders()).toHaveLength(1);
  });

  test('for which nobody is there is not, unless it may have been given before', async () => {
    const client = daemonClient(unixTransport(socket), { again: again() });
    await client.about(signal);
    await client.own(signal);
    server.close();
    expect(await codeOf(client.power(teamA, web, 'stop', signal))).toBe('NotRunning');
    expect(waited).toEqual([]);
  });

  test('that is never answered says that it may have been done', async () => {
    fates = Array.from({ length: 6 }, () => 'cut after the order' as const);
    const client = daemonClient(unixTransport(socket), { again: again() });
    await expect(client.power(teamA, web, 'restart', signal)).rejects.toMatchObject({
      code: 'Broken',
      message: 'no answer came, however often: it may have been done',
    });
    expect(orders()).toHaveLength(6);
  });

  test('is given once to a daemon that knows no keys', async () => {
    isOlder = true;
    fates = ['cut after the order'];
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await codeOf(client.power(teamA, web, 'restart', signal))).toBe('Broken');
    expect(keys()).toEqual([null]);
  });
});

describe('a key', () => {
  const asked = (header: string) =>
    place.raw(
      `POST /v1/partitions/team-a/secondaries/web/restart HTTP/1.1\r\nhost: x\r\n${header}connection: close\r\ncontent-length: 0\r\n\r\n`,
    );

  test('may be quoted, as a structured field is', async () => {
    await asked('Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"\r\n');
    expect(keys()).toEqual([{ key: '8e03978e-40d5-43dd-bc93-6894a57f9324', party: 'uid 1000' }]);
  });

  test.each([
    ['of other characters', 'idempotency-key: a/b\r\n'],
    ['without end', `idempotency-key: ${'a'.repeat(65)}\r\n`],
    ['that is empty', 'idempotency-key: \r\n'],
    ['that comes twice', 'idempotency-key: a\r\nidempotency-key: b\r\n'],
  ])('%s is none, and nothing is done', async (_, header) => {
    expect(await asked(header)).toMatch(/^HTTP\/1.1 400 [^]*idempotency-key: expected 1 to 64/);
    expect(orders()).toEqual([]);
  });
});
