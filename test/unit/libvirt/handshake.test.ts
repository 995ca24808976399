import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, connectReadOnly } from '../../../src/libvirt/index.ts';
import { string, u32 } from '../../../src/libvirt/wire/codec.ts';
import { array, optional, struct } from '../../../src/libvirt/wire/combinators.ts';
import { FakeLibvirtd, type FakeOptions } from '../../support/fake-libvirtd.ts';
import { ManualTimers } from './manual-timers.ts';

async function start(options: FakeOptions = {}) {
  const fake = await FakeLibvirtd.start(options);
  onTestFinished(() => fake[Symbol.asyncDispose]());
  return fake;
}

const procedures = (fake: FakeLibvirtd) => fake.peer.received.map(({ procedure }) => procedure);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

/** The server accepts in order: once this one is through, it has seen all before. */
async function connectAndClose(path: string) {
  const socket = createConnection(path);
  await once(socket, 'connect');
  socket.destroy();
}

describe('connecting', () => {
  test('asks for authentication, keepalive and the driver, in this order', async () => {
    const fake = await start();
    const connection = await connect({ socketPath: fake.path });
    expect(procedures(fake)).toEqual([66, 60, 1]);
    connection.close();
  });

  test.each([
    ['read and write', connect, 0],
    ['read only', connectReadOnly, 1],
  ] as const)('to %s opens the driver so', async (_, open, flags) => {
    const seen: unknown[] = [];
    const fake = await start({
      shakesHands: false,
      onCall: (call) => {
        const { procedure } = call.header;
        if (procedure === 66) return call.reply(array(u32), []);
        if (procedure === 60) return call.reply(u32, 0);
        seen.push(call.args(struct({ uri: optional(string), flags: u32 })));
        return call.replyNothing();
      },
    });
    const connection = await open({ uri: `test+unix:///default?socket=${fake.path}` });
    expect(seen).toEqual([{ uri: 'test:///default', flags }]);
    connection.close();
  });

  test('asks polkit if that is what libvirtd wants', async () => {
    const fake = await start({ auth: [2], onCall: (call) => call.reply(u32, 1) });
    const connection = await connect({ socketPath: fake.path });
    expect(procedures(fake)).toEqual([66, 70, 60, 1]);
    connection.close();
  });

  test.each<[string, FakeOptions, string]>([
    ['wants SASL', { auth: [1] }, 'auth'],
    ['has polkit say no', { auth: [2], onCall: (call) => call.refuse(45, 'polkit: no') }, 'auth'],
    ['hangs up', { onConnect: (peer) => peer.socket.destroy() }, 'closed'],
    [
      'is something else altogether',
      { onConnect: (peer) => peer.raw(Buffer.from('HTTP/1.1 400 Bad Request\r\n')) },
      'protocol',
    ],
  ])('to a libvirtd that %s fails, and leaves no socket open', async (_, options, reason) => {
    const fake = await start(options);
    expect(await failure(connect({ socketPath: fake.path }))).toMatchObject({
      name: 'ConnectionError',
      reason,
    });
    while (fake.peers.some(({ socket }) => !socket.destroyed))
      await new Promise((resolve) => setImmediate(resolve));
  });

  test('to a driver that libvirtd does not have is its refusal', async () => {
    const fake = await start({
      shakesHands: false,
      onCall: (call) =>
        call.header.procedure === 66
          ? call.reply(array(u32), [0])
          : call.refuse(5, 'no connection driver'),
    });
    const error = await failure(connect({ socketPath: fake.path, keepalive: false }));
    expect(error).toMatchObject({
      name: 'LibvirtError',
      code: 'NO_CONNECT',
      procedure: 'connect_open',
    });
  });

  test('to a libvirtd that says nothing times out', async () => {
    const fake = await start({ shakesHands: false });
    const timers = new ManualTimers();
    const error = failure(connect({ socketPath: fake.path, timers, connectTimeoutMs: 50 }));
    while (fake.peers[0]?.received.length !== 1)
      await new Promise((resolve) => setImmediate(resolve));
    timers.advance(50);
    expect(await error).toMatchObject({ reason: 'timeout' });
  });

  test('can be aborted, before and on the way', async () => {
    const fake = await start({ shakesHands: false });
    expect(
      await failure(connect({ socketPath: fake.path, signal: AbortSignal.abort() })),
    ).toMatchObject({ reason: 'aborted' });
    await connectAndClose(fake.path);
    await until(() => fake.peers.every(({ socket }) => socket.destroyed));
    const controller = new AbortController();
    const error = failure(connect({ socketPath: fake.path, signal: controller.signal }));
    while (fake.peers.at(-1)?.received.length !== 1)
      await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await error).toMatchObject({ reason: 'aborted' });
  });

  test('to nobody is unreachable', async () => {
    expect(await failure(connect({ socketPath: '/nonexistent/socket' }))).toMatchObject({
      reason: 'unreachable',
      retryable: true,
      cause: { code: 'ENOENT' },
    });
  });
});
