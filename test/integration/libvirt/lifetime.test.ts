/** A libvirtd that hangs, dies and comes back, and the driver that only pretends. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  connect,
  type ConnectionState,
  type ConnectOptions,
  type LibvirtEvent,
} from '../../../src/libvirt/index.ts';
import { deadXml, failure, until } from './rig.ts';

const script = fileURLToPath(new URL('../../support/rig-libvirtd.sh', import.meta.url));
const libvirtd = (command: 'start' | 'kill') => void execFileSync(script, [command]);
const pid = () => Number(readFileSync(process.env['RIG_LIBVIRTD_PID'] ?? '', 'utf8'));

async function open(options: ConnectOptions = {}) {
  const connection = await connect(options);
  onTestFinished(() => connection.close());
  const states: ConnectionState[] = [];
  connection.onStateChange((state) => states.push(state));
  return { connection, states };
}

describe('libvirtd', () => {
  test('that is killed in the middle of calls fails them, and is found again', async () => {
    onTestFinished(() => libvirtd('start'));
    const { connection, states } = await open({ reconnect: { delayMsMin: 50, delayMsMax: 200 } });
    const events: LibvirtEvent[] = [];
    await connection.subscribe(['lifecycle'], (event) => events.push(event));
    process.kill(pid(), 'SIGSTOP');
    const hanging = [failure(connection.domains.list()), failure(connection.node.capabilities())];
    libvirtd('kill');
    for (const error of await Promise.all(hanging)) {
      expect(error).toMatchObject({ name: 'ConnectionError', reason: 'closed', mayHaveRun: true });
    }
    expect(states).toMatchObject([{ kind: 'disconnected' }]);
    libvirtd('start');
    await until(() => states.length === 2);
    expect(states[1]).toEqual({ kind: 'reconnected' });
    const domain = await connection.domains.define(deadXml('lv-back'));
    await connection.domains.undefine(domain);
    await until(() => events.length === 2);
    expect(events).toMatchObject([{ event: 'defined' }, { event: 'undefined' }]);
  });

  test('that hangs is given up', async () => {
    const { connection, states } = await open({ keepalive: { intervalMs: 100, countMax: 3 } });
    const stopped = pid();
    process.kill(stopped, 'SIGSTOP');
    onTestFinished(() => void process.kill(stopped, 'SIGCONT'));
    expect(await failure(connection.domains.list())).toMatchObject({ reason: 'timeout' });
    expect(states).toMatchObject([{ kind: 'closed', error: { reason: 'timeout' } }]);
  });

  test('is pinged, and pings, without harm to an idle connection', async () => {
    const { connection, states } = await open({ keepalive: { intervalMs: 200, countMax: 10 } });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect([states, Array.isArray(await connection.domains.list())]).toEqual([[], true]);
  });

  test('that is not there is unreachable', async () => {
    onTestFinished(() => libvirtd('start'));
    libvirtd('kill');
    expect(await failure(connect())).toMatchObject({
      reason: 'unreachable',
      cause: { code: 'ENOENT' },
    });
  });

  test('refuses a driver that it does not have', async () => {
    expect(await failure(connect({ uri: 'nonsense:///x' }))).toMatchObject({
      name: 'LibvirtError',
      procedure: 'connect_open',
    });
  });
});

describe('many calls at once', () => {
  test('all get their own answer', async () => {
    const { connection } = await open();
    const { domains } = connection;
    const defined = await Promise.all(
      Array.from({ length: 50 }, (_, index) => domains.define(deadXml(`lv-many-${index}`))),
    );
    onTestFinished(async () => {
      const cleaner = await connect();
      await Promise.all(defined.map((domain) => cleaner.domains.undefine(domain)));
      cleaner.close();
    });
    const texts = await Promise.all(defined.map((domain) => domains.xml(domain)));
    for (const [index, text] of texts.entries())
      expect(text).toContain(`<name>lv-many-${index}</name>`);
  });

  test('that are given up in flight leave the connection sound', async () => {
    const { connection } = await open();
    const controller = new AbortController();
    const calls = Array.from({ length: 20 }, () =>
      failure(connection.node.capabilities({ signal: controller.signal })),
    );
    controller.abort();
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ reason: 'aborted' });
    expect(await connection.node.uri()).toBe('qemu:///system');
  });
});

describe('the test driver', () => {
  test('lives through one connection', async () => {
    const { connection } = await open({ uri: 'test:///default' });
    const domain = await connection.domains.lookupByName('test');
    expect(domain.uuid).toBe('6695eb01-f6a4-8304-79aa-97f2502e193f');
    expect((await connection.domains.state(domain)).state).toBe('running');
    const events: LibvirtEvent[] = [];
    await connection.subscribe(['lifecycle'], (event) => events.push(event));
    await connection.domains.suspend(domain);
    await connection.domains.resume(domain);
    await until(() => events.length === 2);
    expect(events).toMatchObject([
      { event: 'suspended', detail: 'paused' },
      { event: 'resumed', detail: 'unpaused' },
    ]);
    expect((await connection.networks.list()).map(({ name }) => name)).toEqual(['default']);
    expect((await connection.storage.pools()).map(({ name }) => name)).toEqual(['default-pool']);
  });
});
