import { describe, expect, onTestFinished, test } from 'vitest';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { ConnectionError } from '../../../src/libvirt/errors.ts';
import { read } from '../../../src/libvirt/procedure.ts';
import { RpcSocket } from '../../../src/libvirt/rpc-socket.ts';
import { nothing, string, u32 } from '../../../src/libvirt/wire/codec.ts';
import { array } from '../../../src/libvirt/wire/combinators.ts';
import {
  type FakeCall,
  FakeLibvirtd,
  type FakePeer,
  type OnCall,
} from '../../support/fake-libvirtd.ts';
import { ManualTimers } from './manual-timers.ts';

const echo = read('echo', 500, u32, u32);
const list = read('list', 501, nothing, array(u32));
const text = read('text', 502, nothing, string);
const options = { timeoutMs: 1000 };

async function connected(onCall: OnCall, callsInFlightMax = 4) {
  const fake = await FakeLibvirtd.start({ onCall, shakesHands: false });
  onTestFinished(() => fake[Symbol.asyncDispose]());
  const socket = createConnection(fake.path);
  await once(socket, 'connect');
  const timers = new ManualTimers();
  const events: number[] = [];
  const listeners: Array<() => void> = [];
  let closed: (error: ConnectionError) => void;
  const closedBy = new Promise<ConnectionError>((resolve) => (closed = resolve));
  const rpc = new RpcSocket(socket, {
    callsInFlightMax,
    timers,
    onEvent: (procedure) => {
      events.push(procedure);
      for (const listener of listeners) listener();
    },
    onClose: (error) => closed(error),
  });
  onTestFinished(() => rpc.close(new ConnectionError('closed', 'the test is over')));
  return { fake, rpc, timers, events, listeners, closedBy };
}

const reasonOf = (error: unknown) => (error instanceof ConnectionError ? error.reason : error);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
const received = async (peer: () => FakePeer, count: number) => {
  while (peer().received.length < count) await new Promise((resolve) => setImmediate(resolve));
};

describe('calls', () => {
  test('are answered in any order', async () => {
    const held: FakeCall[] = [];
    const { rpc } = await connected((call) => {
      held.push(call);
      if (held.length === 3)
        for (const each of held.toReversed()) each.reply(u32, each.args(u32) * 2);
    });
    const results = Promise.all([1, 2, 3].map((value) => rpc.call(echo, value, options)));
    expect(await results).toEqual([2, 4, 6]);
  });

  test('go out four at a time', async () => {
    const held: FakeCall[] = [];
    const { rpc, fake } = await connected((call) => held.push(call));
    const results = Promise.all(
      Array.from({ length: 10 }, (_, value) => rpc.call(echo, value, options)),
    );
    await received(() => fake.peer, 4);
    expect(held.map((call) => call.args(u32))).toEqual([0, 1, 2, 3]);
    for (let answered = 0; answered < 10; answered += 1) {
      await received(() => fake.peer, Math.min(10, answered + 4));
      held[answered]?.reply(u32, 0);
    }
    expect(await results).toHaveLength(10);
  });

  test('that libvirtd refuses fail alone', async () => {
    const { rpc } = await connected((call) => {
      if (call.args(u32) === 1) call.refuse(42, 'no such thing');
      else call.reply(u32, 7);
    });
    const refused = failure(rpc.call(echo, 1, options));
    expect(await refused).toMatchObject({
      name: 'LibvirtError',
      code: 'NO_DOMAIN',
      procedure: 'echo',
    });
    expect(await rpc.call(echo, 2, options)).toBe(7);
  });

  test('with arguments that cannot be sent fail alone, and send nothing', async () => {
    const { rpc, fake } = await connected((call) => call.reply(u32, 1));
    expect(await failure(rpc.call(echo, -1, options))).toBeInstanceOf(RangeError);
    expect(await rpc.call(echo, 1, options)).toBe(1);
    expect(fake.peer.received).toHaveLength(1);
  });
});

describe('time', () => {
  test('runs out for a call without an answer; its late answer harms nothing', async () => {
    const held: FakeCall[] = [];
    const { rpc, fake, timers } = await connected((call) => held.push(call));
    const slow = failure(rpc.call(echo, 1, options));
    await received(() => fake.peer, 1);
    timers.advance(1000);
    expect(await slow).toMatchObject({ reason: 'timeout', mayHaveRun: true });
    const next = rpc.call(echo, 2, options);
    await received(() => fake.peer, 2);
    held[0]?.reply(u32, 99);
    held[1]?.reply(u32, 2);
    expect(await next).toBe(2);
  });

  test('leaves no timer behind after an answer', async () => {
    const { rpc, timers } = await connected((call) => call.reply(u32, 1));
    await rpc.call(echo, 1, options);
    expect(timers.delaysMs).toEqual([]);
  });

  test('ends a socket on which nothing can move any more', async () => {
    const { rpc, fake, timers, closedBy } = await connected(() => {}, 1);
    const first = failure(rpc.call(echo, 1, { timeoutMs: 10 }));
    await received(() => fake.peer, 1);
    timers.advance(10);
    const waiting = failure(rpc.call(echo, 2, options));
    timers.advance(1000);
    expect([await first, await waiting].map(reasonOf)).toEqual(['timeout', 'timeout']);
    expect(await waiting).toMatchObject({ mayHaveRun: false });
    expect((await closedBy).reason).toBe('timeout');
  });

  test('without a sign of life ends the socket and the calls on it', async () => {
    const { rpc, timers, closedBy } = await connected(() => {});
    rpc.startKeepalive({ intervalMs: 100, countMax: 2 });
    const hanging = failure(rpc.call(echo, 1, { timeoutMs: 60_000 }));
    timers.advance(400);
    expect(reasonOf(await hanging)).toBe('timeout');
    expect((await closedBy).message).toBe('libvirtd gives no sign of life');
    expect(timers.delaysMs).toEqual([]);
  });
});

describe('an abort signal', () => {
  test('that has fired keeps the call from being sent', async () => {
    const { rpc, fake } = await connected(() => {});
    const signal = AbortSignal.abort(new Error('enough'));
    const error = await failure(rpc.call(echo, 1, { ...options, signal }));
    expect(error).toMatchObject({ reason: 'aborted', mayHaveRun: false, cause: signal.reason });
    expect(fake.peers[0]?.received ?? []).toEqual([]);
  });

  test('ends a call in flight and one that waits, and nothing else', async () => {
    const held: FakeCall[] = [];
    const { rpc, fake } = await connected((call) => held.push(call), 1);
    const controller = new AbortController();
    const withSignal = { ...options, signal: controller.signal };
    const calls = [rpc.call(echo, 1, withSignal), rpc.call(echo, 2, withSignal)].map(failure);
    const other = rpc.call(echo, 3, options);
    await received(() => fake.peer, 1);
    controller.abort();
    expect(await Promise.all(calls)).toMatchObject([
      { reason: 'aborted', mayHaveRun: true },
      { reason: 'aborted', mayHaveRun: false },
    ]);
    held[0]?.reply(u32, 1);
    await received(() => fake.peer, 2);
    held[1]?.reply(u32, 3);
    expect(await other).toBe(3);
  });
});

describe('keepalive', () => {
  test('pings are answered while calls wait for theirs', async () => {
    const { rpc, fake } = await connected((call) => call.peer.ping());
    void failure(rpc.call(echo, 1, options));
    await received(() => fake.peer, 2);
    expect(fake.peer.received[1]).toMatchObject({
      program: 0x6b65_6570,
      procedure: 2,
      kind: 'event',
    });
  });

  test('pings are answered each time', async () => {
    const { rpc, fake } = await connected((call) => call.peer.ping());
    for (const count of [1, 2, 3]) {
      void failure(rpc.call(echo, count, options));
      await received(() => fake.peer, 2 * count);
    }
    expect(fake.peer.received.filter(({ procedure }) => procedure === 2)).toHaveLength(3);
  });

  test('counts any bytes as a sign of life, and ends with the socket', async () => {
    const { rpc, timers } = await connected((call) => call.reply(u32, 1));
    rpc.startKeepalive({ intervalMs: 100, countMax: 1 });
    for (let count = 0; count < 10; count += 1) {
      expect(await rpc.call(echo, 1, options)).toBe(1);
      timers.advance(100);
    }
    rpc.close(new ConnectionError('closed', 'enough'));
    expect(timers.delaysMs).toEqual([]);
  });

  test('a flood of pings without end is answered, and calls still get through', async () => {
    const { rpc } = await connected((call) => {
      for (let count = 0; count < 10_000; count += 1) call.peer.ping();
      call.reply(u32, 5);
    });
    expect(await rpc.call(echo, 1, options)).toBe(5);
  });
});

test('nothing is handed on after the end, even out of bytes that had come before', async () => {
  const { rpc, events, listeners, closedBy } = await connected(({ peer }) => {
    peer.socket.cork();
    for (let count = 0; count < 3; count += 1) peer.event(318, u32, 1);
    peer.socket.uncork();
  });
  listeners.push(() => rpc.close(new ConnectionError('closed', 'enough')));
  void failure(rpc.call(echo, 1, options));
  await closedBy;
  expect(events).toHaveLength(1);
});

test('a flood of events is handed on, one by one', async () => {
  const { rpc, events } = await connected((call) => {
    for (let count = 0; count < 10_000; count += 1) call.peer.event(318, u32, 1);
    call.reply(u32, 1);
  });
  await rpc.call(echo, 1, options);
  expect(events).toHaveLength(10_000);
});

describe('a broken server fails every call at once', () => {
  const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const cases: ReadonlyArray<readonly [string, string, OnCall]> = [
    [
      'a frame shorter than a header',
      'protocol',
      ({ peer }) => peer.raw(bytes('00000010 20008086 00000001')),
    ],
    ['a frame of 4 GiB', 'protocol', ({ peer }) => peer.raw(bytes('ffffffff'))],
    [
      'another program',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, program: 1, kind: 'reply' }, u32, 1),
    ],
    [
      'another procedure',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, procedure: 7, kind: 'reply' }, u32, 1),
    ],
    [
      'a serial nobody has',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, serial: 77, kind: 'reply' }, u32, 1),
    ],
    [
      'an unfinished answer',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, kind: 'reply', status: 'continue' }, u32, 1),
    ],
    [
      'a call from the server',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, kind: 'call' }, u32, 1),
    ],
    [
      'a stream nobody opened',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, kind: 'stream' }, u32, 1),
    ],
    [
      'a strange keepalive',
      'protocol',
      ({ peer }) =>
        peer.send({ program: 0x6b65_6570, procedure: 3, kind: 'event' }, nothing, undefined),
    ],
    ['an answer cut short', 'protocol', (call) => call.replyNothing()],
    ['bytes left over', 'protocol', (call) => call.reply(array(u32), [1, 2])],
    [
      'a refusal of garbage',
      'protocol',
      ({ peer, header }) => peer.send({ ...header, kind: 'reply', status: 'error' }, u32, 1),
    ],
    [
      'a frame cut short by the end',
      'closed',
      ({ peer }) => peer.socket.end(bytes('00000040 20008086')),
    ],
    ['the end', 'closed', ({ peer }) => peer.socket.end()],
    ['the end, with a reset', 'closed', ({ peer }) => peer.socket.destroy()],
  ];

  test.each(cases)('%s: %s', async (_, reason, onCall) => {
    let count = 0;
    const { rpc, closedBy } = await connected((call) => {
      count += 1;
      if (count === 3) onCall(call);
    });
    const calls = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((value) => failure(rpc.call(echo, value, options))),
    );
    expect(calls.map(reasonOf)).toEqual(Array.from({ length: 6 }, () => reason));
    expect(calls).toMatchObject([1, 2, 3, 4, 5, 6].map((value) => ({ mayHaveRun: value <= 4 })));
    expect((await closedBy).reason).toBe(reason);
    expect(reasonOf(await failure(rpc.call(echo, 1, options)))).toBe(reason);
  });

  test('an array of 2^32 - 1 items', async () => {
    const { rpc } = await connected((call) => call.reply(u32, 0xffff_ffff));
    const error = await failure(rpc.call(list, undefined, options));
    expect(error).toMatchObject({
      reason: 'protocol',
      cause: { message: 'an array of 4294967295 items' },
    });
  });

  test('a string longer than there may be', async () => {
    const { rpc } = await connected((call) => call.reply(u32, 0x0040_0001));
    const error = await failure(rpc.call(text, undefined, options));
    expect(error).toMatchObject({
      reason: 'protocol',
      cause: { message: 'a string of 4194305 bytes' },
    });
  });
});
