import { symlink } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type CallReport,
  type Connection,
  connect,
  connectEventually,
  connectReadOnly,
  type ConnectionState,
  type ConnectOptions,
} from '../../../src/libvirt/index.ts';
import { i32, string } from '../../../src/libvirt/wire/codec.ts';
import { struct } from '../../../src/libvirt/wire/combinators.ts';
import { domain } from '../../../src/libvirt/handles.ts';
import { FakeLibvirtd, type OnCall } from '../../support/fake-libvirtd.ts';
import { ManualTimers } from './manual-timers.ts';

const vm = { name: 'vm', uuid: '00000000-0000-0000-0000-000000000001', id: -1 };
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
const turn = () => new Promise((resolve) => setImmediate(resolve));
const until = async (isSo: () => boolean) => {
  while (!isSo()) await turn();
};

const numbers = { xml: 14, create: 196, register: 316 } as const;

/** Answers XML, starts and registrations; everything else not at all. */
const daemon: OnCall = (call) => {
  switch (call.header.procedure) {
    case numbers.xml:
      return call.reply(string, '<domain/>');
    case numbers.create:
      return call.reply(domain, { ...vm, id: 1 });
    case numbers.register:
      return call.reply(i32, 5);
  }
};

async function start(options: ConnectOptions = {}, onCall: OnCall = daemon) {
  const fake = await FakeLibvirtd.start({ onCall });
  onTestFinished(() => fake[Symbol.asyncDispose]());
  const connection = await connect({ socketPath: fake.path, ...options });
  onTestFinished(() => connection.close());
  const states: ConnectionState[] = [];
  connection.onStateChange((state) => states.push(state));
  return { fake, connection, states };
}

const calls = (fake: FakeLibvirtd) =>
  fake.peers.map(({ received }) =>
    received.map(({ procedure }) => procedure).filter((number) => ![66, 60, 1].includes(number)),
  );

describe('a connection', () => {
  test('makes slow calls on a second socket, opened by the first of them', async () => {
    const { fake, connection } = await start();
    await connection.domains.xml(vm);
    expect(fake.peers).toHaveLength(1);
    expect(
      await Promise.all([connection.domains.start(vm), connection.domains.start(vm)]),
    ).toHaveLength(2);
    await connection.domains.xml(vm);
    expect(calls(fake)).toEqual([
      [numbers.xml, numbers.xml],
      [numbers.create, numbers.create],
    ]);
  });

  test('goes on when the slow socket is lost, and opens another', async () => {
    const { fake, connection, states } = await start();
    const hanging = errorOf(connection.domains.reset(vm));
    await until(() => calls(fake)[1]?.length === 1);
    fake.peers[1]?.socket.destroy();
    expect(await hanging).toMatchObject({ reason: 'closed' });
    expect(await connection.domains.start(vm)).toMatchObject({ id: 1 });
    expect([fake.peers.length, states]).toEqual([3, []]);
  });

  test('is over when it is lost, unless it may reconnect', async () => {
    const { fake, connection, states } = await start();
    const hanging = errorOf(connection.domains.isActive(vm));
    await until(() => calls(fake)[0]?.length === 1);
    fake.peer.socket.destroy();
    expect(await hanging).toMatchObject({ reason: 'closed', mayHaveRun: true, retryable: true });
    expect(states).toMatchObject([{ kind: 'closed', error: { reason: 'closed' } }]);
    const next = await errorOf(connection.domains.xml(vm));
    expect(next).toMatchObject({
      reason: 'closed',
      mayHaveRun: false,
      cause: { reason: 'closed' },
    });
    connection.close();
    expect(states).toHaveLength(1);
  });

  test('fails what has no answer when it is closed, slow calls too', async () => {
    const { fake, connection, states } = await start();
    await connection.domains.start(vm);
    const hanging = [
      errorOf(connection.domains.isActive(vm)),
      errorOf(connection.domains.reset(vm)),
    ];
    await until(() => calls(fake).flat().length === 3);
    connection.close();
    connection.close();
    expect(await Promise.all(hanging)).toMatchObject([{ reason: 'closed' }, { reason: 'closed' }]);
    expect(states).toEqual([{ kind: 'closed', error: undefined }]);
    await until(() => fake.peers.every(({ socket }) => socket.destroyed));
  });
});

describe('a read-only connection', () => {
  test('refuses at run time whatever would change something, without asking', async () => {
    const fake = await FakeLibvirtd.start({ onCall: daemon });
    onTestFinished(() => fake[Symbol.asyncDispose]());
    const connection = await connectReadOnly({ socketPath: fake.path });
    onTestFinished(() => connection.close());
    expect(await connection.domains.xml(vm)).toBe('<domain/>');
    // What a program without types could do.
    const { domains, networks, nwfilters, storage } = connection as Connection;
    const network = { name: 'n', uuid: vm.uuid };
    const volume = { pool: 'p', name: 'v', key: 'k' };
    const errors = await Promise.all(
      [
        domains.define('<domain/>'),
        domains.start(vm),
        domains.openConsole(vm),
        domains.setMemory(vm, 1),
        networks.destroy(network),
        networks.update(network, { command: 'modify', section: 'ip', xml: '' }),
        nwfilters.undefine(network),
        storage.download(volume),
      ].map(errorOf),
    );
    expect(errors.map((error) => (error as { reason?: string }).reason)).toEqual(
      errors.map(() => 'read-only'),
    );
    expect(fake.peers).toHaveLength(1);
  });
});

describe('reconnecting', () => {
  const reconnect = { delayMsMin: 100, delayMsMax: 400 };

  test('waits longer each time, then registers events again before it is up', async () => {
    const timers = new ManualTimers();
    const { fake, connection, states } = await start({ reconnect, timers, keepalive: false });
    const events: unknown[] = [];
    await connection.subscribe(['reboot'], (event) => events.push(event));
    await fake.hangUp();
    await until(() => states.length === 1);
    expect(states).toMatchObject([{ kind: 'disconnected', error: { reason: 'closed' } }]);
    expect(await errorOf(connection.domains.xml(vm))).toMatchObject({
      reason: 'closed',
      retryable: true,
    });
    for (const delayMs of [100, 200, 400, 400]) {
      await until(() => timers.delaysMs.length === 1);
      expect(timers.delaysMs).toEqual([delayMs]);
      timers.advance(delayMs);
      await until(() => timers.delaysMs.length === 1);
    }
    await fake.listen();
    timers.advance(400);
    await until(() => states.length === 2);
    expect(states[1]).toEqual({ kind: 'reconnected' });
    expect(calls(fake).at(-1)).toEqual([numbers.register]);
    fake.peer.event(319, domainEvent, { callbackId: 5, domain: vm });
    expect(await connection.domains.xml(vm)).toBe('<domain/>');
    expect(events).toEqual([{ kind: 'reboot', domain: vm }]);
  });

  test('tries again if the new connection is lost on the way', async () => {
    let registrations = 0;
    const { fake, connection, states } = await start(
      { reconnect: { delayMsMin: 1, delayMsMax: 1 } },
      (call) => {
        registrations += 1;
        if (registrations === 2) call.peer.socket.destroy();
        else call.reply(i32, registrations);
      },
    );
    await connection.subscribe(['reboot'], () => {});
    fake.peer.socket.destroy();
    await until(() => states.length === 2);
    expect([registrations, states[1]]).toEqual([3, { kind: 'reconnected' }]);
  });

  test('ends with close()', async () => {
    const timers = new ManualTimers();
    const { fake, connection, states } = await start({ reconnect, timers, keepalive: false });
    await fake.hangUp();
    await until(() => timers.delaysMs.length === 1);
    connection.close();
    await turn();
    expect(timers.delaysMs).toEqual([]);
    expect(states.map(({ kind }) => kind)).toEqual(['disconnected', 'closed']);
  });

  test('does not happen where the first connection fails', async () => {
    const error = await errorOf(connect({ socketPath: '/nonexistent', reconnect: true }));
    expect(error).toMatchObject({ reason: 'unreachable' });
  });
});

const domainEvent = struct({ callbackId: i32, domain });

describe('calls are told of', () => {
  test('once they have ended, with their name and whether they were answered', async () => {
    const told: CallReport[] = [];
    const onCall = (report: CallReport) => void told.push(report);
    const { fake, connection } = await start({ onCall });
    await connection.domains.xml(vm);
    const hanging = errorOf(connection.domains.reset(vm));
    await until(() => calls(fake)[1]?.length === 1);
    expect(told).toHaveLength(1);
    fake.peers[1]?.socket.destroy();
    await hanging;
    expect(told.map(({ procedure, ok }) => [procedure, ok])).toEqual([
      ['domain_get_xml_desc', true],
      ['domain_reset', false],
    ]);
    expect(told.every(({ durationMs }) => durationMs >= 0)).toBe(true);
  });
});

describe('a connection that may come later', () => {
  test('is up after the first attempt, or tells why not and when it is', async () => {
    const fake = await FakeLibvirtd.start({ onCall: daemon });
    onTestFinished(() => fake[Symbol.asyncDispose]());
    const first = await connectEventually({ socketPath: fake.path });
    onTestFinished(() => first.connection.close());
    expect(first.failure).toBeUndefined();
    expect(await first.connection.domains.xml(vm)).toBe('<domain/>');
  });

  test('waits for a libvirtd that is not there', async () => {
    const fake = await FakeLibvirtd.start({ onCall: daemon });
    onTestFinished(() => fake[Symbol.asyncDispose]());
    const timers = new ManualTimers();
    const place = `${fake.path}-later`;
    const { connection, failure } = await connectEventually({ socketPath: place, timers });
    onTestFinished(() => connection.close());
    expect(failure).toMatchObject({ reason: 'unreachable' });
    expect(await errorOf(connection.domains.xml(vm))).toMatchObject({ reason: 'closed' });
    const states: ConnectionState[] = [];
    connection.onStateChange((state) => states.push(state));
    timers.advance(100);
    await until(() => timers.delaysMs.includes(200));
    expect(states).toEqual([]);
    await symlink(fake.path, place);
    timers.advance(200);
    await until(() => states.length > 0);
    expect(states).toEqual([{ kind: 'reconnected' }]);
    expect(await connection.domains.xml(vm)).toBe('<domain/>');
  });
});
