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
import { primaryScope } from '../../../src/channel/scope.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { historyEntry, teamA, web } from './fake-control.ts';

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

describe('a word about a disk that took long to write', () => {
  const linux = 'linux' as ImageName;
  const told = () => place.calls.filter(({ method }) => method === 'imageWritten').length;
  const refusing = (code: string, times: number) => {
    let left = times;
    place.answer = async () =>
      left-- > 0
        ? { status: 'refused', code, message: 'no' }
        : { status: 'ok', message: 'taken down' };
  };

  test('waits for its turn behind a submission of the same Primary', async () => {
    const primary = await apiPlace(undefined, primaryScope(teamA));
    let accept = () => {};
    primary.result = () =>
      new Promise((done) => (accept = () => done({ status: 'accepted', bundle: historyEntry(7) })));
    const agent = daemonClient(unixTransport(primary.socket));
    const submitting = agent.submit(teamA, { files: [] }, signal);
    await expect.poll(() => primary.calls.length).toBe(1);
    const sleep = async (ms: number) => {
      waited.push(ms);
      accept();
      await submitting;
    };
    const client = daemonClient(unixTransport(primary.socket), { again: { ...again(), sleep } });
    expect(await client.imageWritten(teamA, linux, signal)).toBe('taken down');
    expect(waited[0]).toBe(500);
    expect(primary.calls.filter(({ method }) => method === 'imageWritten')).toHaveLength(1);
    await primary.dispose();
  });

  test.each(['TooBusy', 'TooManyRequests'])('is said again after %s', async (code) => {
    refusing(code, 3);
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await client.imageWritten(teamA, linux, signal)).toBe('taken down');
    expect(waited).toEqual([500, 1000, 2000]);
  });

  test('is said for a minute, and not for ever', async () => {
    refusing('TooBusy', 1000);
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await codeOf(client.imageWritten(teamA, linux, signal))).toBe('TooBusy');
    expect(told()).toBe(waited.length + 1);
    const sum = waited.reduce((all, ms) => all + ms);
    expect(sum).toBeGreaterThanOrEqual(60_000);
    expect(sum).toBeLessThan(70_000);
  });

  test.each(['ImageBlocked', 'NotInTime'])('is said once to one that says %s', async (code) => {
    refusing(code, 1);
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await codeOf(client.imageWritten(teamA, linux, signal))).toBe(code);
    expect(told()).toBe(1);
  });

  test('whose answer is lost is not said again: nobody knows whether its disk is lent anew by then', async () => {
    fates = ['cut after the order'];
    const client = daemonClient(unixTransport(socket), { again: again() });
    expect(await codeOf(client.imageWritten(teamA, linux, signal))).toBe('Broken');
    expect(told()).toBe(1);
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
