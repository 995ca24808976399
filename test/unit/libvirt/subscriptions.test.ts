import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, type LibvirtEvent } from '../../../src/libvirt/index.ts';
import { domain } from '../../../src/libvirt/handles.ts';
import { i32, string } from '../../../src/libvirt/wire/codec.ts';
import { optional, struct } from '../../../src/libvirt/wire/combinators.ts';
import { FakeLibvirtd, type FakeOptions } from '../../support/fake-libvirtd.ts';

const vm = { name: 'vm', uuid: '00000000-0000-0000-0000-000000000001', id: 3 };
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
const reboot = struct({ callbackId: i32, domain });
const aliased = struct({ callbackId: i32, domain, alias: string });

/** Registrations as `register 15 -> 100`, in the order in which libvirtd saw them. */
async function start(options: FakeOptions = {}) {
  const log: string[] = [];
  let nextId = 100;
  const fake = await FakeLibvirtd.start({
    onCall: (call) => {
      if (call.header.procedure === 316) {
        const { eventId } = call.args(struct({ eventId: i32, domain: optional(domain) }));
        log.push(`register ${eventId} -> ${nextId}`);
        call.reply(i32, nextId);
        nextId += 1;
      } else if (call.header.procedure === 317) {
        log.push(`deregister ${call.args(i32)}`);
        call.replyNothing();
      } else {
        call.reply(i32, 0);
      }
    },
    ...options,
  });
  onTestFinished(() => fake[Symbol.asyncDispose]());
  const connection = await connect({ socketPath: fake.path });
  onTestFinished(() => connection.close());
  /** All that libvirtd has sent before has been handed on once this is through. */
  const flush = () => connection.domains.isActive(vm);
  return { fake, connection, log, flush };
}

describe('subscribe', () => {
  test('registers each kind once, and undoes it after its last listener', async () => {
    const { connection, log } = await start();
    const first = await connection.subscribe(['device-removed', 'reboot'], () => {});
    const second = await connection.subscribe(['reboot', 'reboot'], () => {});
    expect(log).toEqual(['register 15 -> 100', 'register 1 -> 101']);
    await first();
    await first();
    expect(log.slice(2)).toEqual(['deregister 100']);
    await second();
    expect(log.slice(3)).toEqual(['deregister 101']);
  });

  test('survives a change of mind that is quicker than libvirtd', async () => {
    const { connection, log, fake, flush } = await start();
    const events: LibvirtEvent[] = [];
    const unsubscribe = await connection.subscribe(['reboot'], () => {});
    const gone = unsubscribe();
    await connection.subscribe(['reboot'], (event) => events.push(event));
    await gone;
    const id = Number(log.at(-1)?.split(' ').at(-1));
    fake.peer.event(319, reboot, { callbackId: id, domain: vm });
    await flush();
    expect(events).toEqual([{ kind: 'reboot', domain: vm }]);
  });

  test('gives each listener the kinds that it asked for', async () => {
    const { connection, fake, flush } = await start();
    const events: string[] = [];
    await connection.subscribe(['reboot'], ({ kind }) => events.push(`a ${kind}`));
    await connection.subscribe(['reboot', 'device-removed'], ({ kind }) =>
      events.push(`b ${kind}`),
    );
    fake.peer.event(319, reboot, { callbackId: 100, domain: vm });
    fake.peer.event(333, aliased, { callbackId: 101, domain: vm, alias: 'ua-1' });
    await flush();
    expect(events).toEqual(['a reboot', 'b reboot', 'b device-removed']);
  });

  test('hands on nothing that comes by another registration, or after the end', async () => {
    const { connection, fake, flush } = await start();
    const events: LibvirtEvent[] = [];
    const unsubscribe = await connection.subscribe(['reboot'], (event) => events.push(event));
    fake.peer.event(319, reboot, { callbackId: 77, domain: vm });
    await flush();
    await unsubscribe();
    fake.peer.event(319, reboot, { callbackId: 100, domain: vm });
    await flush();
    expect(events).toEqual([]);
  });

  test('leaves nothing behind if one of its kinds is refused', async () => {
    const { connection, fake, flush } = await start({
      onCall: (call) => {
        if (call.header.procedure === 150) return call.reply(i32, 0);
        if (call.header.procedure === 317) return call.replyNothing();
        const { eventId } = call.args(struct({ eventId: i32, domain: optional(domain) }));
        return eventId === 15 ? call.refuse(84, 'unsupported') : call.reply(i32, 100);
      },
    });
    const events: LibvirtEvent[] = [];
    const subscribing = connection.subscribe(['reboot', 'device-removed'], (event) =>
      events.push(event),
    );
    expect(await failure(subscribing)).toMatchObject({ code: 'OPERATION_UNSUPPORTED' });
    fake.peer.event(319, reboot, { callbackId: 100, domain: vm });
    await flush();
    expect(events).toEqual([]);
    expect(fake.peer.received.map(({ procedure }) => procedure)).toContain(317);
  });

  test('ignores packets of kinds that it does not know', async () => {
    const { connection, fake, flush } = await start();
    const events: LibvirtEvent[] = [];
    await connection.subscribe(['reboot'], (event) => events.push(event));
    fake.peer.event(453, string, 'from the future');
    expect([await flush(), events]).toEqual([false, []]);
  });

  test('ends the connection at an event that is garbage', async () => {
    const { connection, fake, flush } = await start();
    await connection.subscribe(['reboot'], () => {});
    fake.peer.event(319, aliased, { callbackId: 100, domain: vm, alias: 'too much' });
    expect(await failure(flush())).toMatchObject({ reason: 'protocol' });
  });

  test('lets a listener fail alone, where its program can see it', async () => {
    const { connection, fake, flush } = await start();
    const uncaught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => uncaught.push(error));
    onTestFinished(() => {
      for (const each of others) process.on('uncaughtException', each);
    });
    const events: LibvirtEvent[] = [];
    const bug = new Error('bug in a listener');
    await connection.subscribe(['reboot'], () => {
      throw bug;
    });
    await connection.subscribe(['reboot'], (event) => events.push(event));
    fake.peer.event(319, reboot, { callbackId: 100, domain: vm });
    await flush();
    expect([events.length, uncaught]).toEqual([1, [bug]]);
  });
});
