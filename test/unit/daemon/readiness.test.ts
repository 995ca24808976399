/** When guests are ready, as a whole daemon finds out: by ports, by agents, and by what guests say. */
import { beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/daemon/config.ts';
import type { Guest } from '../../../src/host/simulated/world.ts';
import { cidOf } from '../../../src/model/vsock.ts';
import type { PartitionStatus, SecondaryReport } from '../../../src/report/partition-status.ts';
import { partition } from '../../support/passes.ts';
import { refOf } from '../../support/simulation.ts';
import { callerOn, settled } from '../../support/virtual-caller.ts';
import { secondaryText } from '../../support/virtual-daemon.ts';
import { type VirtualUnnestd, virtualUnnestd } from '../../support/virtual-unnestd.ts';

const spec = { source: 'Directory', network: { cidr: '10.20.0.0/24' } };
const app = secondaryText('app', { spec: { startAfter: ['db'] } });
const read = readConfig(null);
const folder = read.ok ? read.config.statusDir : '';

let unnestd: VirtualUnnestd;
beforeEach(async () => {
  unnestd = await virtualUnnestd({ spec });
});
const advance = (ms: number) => unnestd.runtime.advance(ms);

function said(name = 'db'): SecondaryReport | undefined {
  const text = unnestd.runtime.disk.text(`${folder}/${partition}.json`) ?? '{"secondaries":[]}';
  return (JSON.parse(text) as PartitionStatus).secondaries.find((each) => each.name === name);
}

function ready(): string {
  const condition = said()?.conditions.find(({ type }) => type === 'Ready');
  return `${condition?.status} ${condition?.reason} ${condition?.message}`.trim();
}

function guestOf(name: string): Guest | null {
  return unnestd.world.domains.get(refOf(name).uuid)?.guest ?? null;
}

/** Whoever is killed is started anew, which is another run. */
async function runAnew(): Promise<void> {
  const domain = unnestd.world.domains.get(refOf('db').uuid);
  if (domain === undefined) throw new Error('there is no db');
  domain.guest = null;
  unnestd.hosts.touch({ kind: 'domain', ...refOf('db'), event: 'stopped' });
  await advance(5000);
  expect(guestOf('db')).not.toBeNull();
}

const calls = (wanted: string) =>
  unnestd.hosts.faults.calls.filter(({ name }) => name === wanted).length;

describe('by a port', () => {
  const db = secondaryText('db', {
    spec: { network: 'Partition', readiness: 'TcpPort', readinessPort: 5432 },
  });
  const awaits = 'False AwaitsTcpPort it waits for a connection to TCP port 5432 of its address';
  const listen = () => unnestd.runtime.sockets.guestPorts.add(`${said()?.address}:5432`);

  test('it is ready once that takes a connection, and says until then what it waits for', async () => {
    await unnestd.write(db);
    expect(ready()).toBe(awaits);
    expect(said()).toMatchObject({ status: 'Starting', health: 'Progressing' });
    expect(said()?.address).toMatch(/^10\.20\.0\.\d+$/);
    expect([...new Set(unnestd.runtime.sockets.tried)]).toEqual([`${said()?.address}:5432`]);
    listen();
    await advance(3000);
    expect(ready()).toBe('True Running');
  });

  test('once ready it is not tried again in that run, and is in the next', async () => {
    await unnestd.write(db);
    listen();
    await advance(3000);
    const { sockets } = unnestd.runtime;
    const tries = sockets.tried.length;
    sockets.guestPorts.clear();
    // Nor is it looked at, but by the passes that come anyway.
    const reads = calls('read');
    await advance(100_000);
    expect(calls('read') - reads).toBeLessThan(4);
    await advance(600_000);
    expect([sockets.tried.length, ready(), calls('noteReady')]).toEqual([tries, 'True Running', 1]);
    await runAnew();
    expect(ready()).toBe(awaits);
    expect(sockets.tried.length).toBeGreaterThan(tries);
  });

  test('it is tried once a second at first, and less often later', async () => {
    await unnestd.write(db);
    const tried = async (ms: number) => {
      const before = unnestd.runtime.sockets.tried.length;
      await advance(ms);
      return unnestd.runtime.sockets.tried.length - before;
    };
    expect(await tried(20_000)).toBeLessThanOrEqual(21);
    await advance(60_000);
    expect(await tried(100_000)).toBeLessThanOrEqual(21);
  });

  test('who starts after it is started once it is ready, in the same pass', async () => {
    await unnestd.write(`${db}${app}`);
    await advance(20_000);
    expect([guestOf('db') !== null, guestOf('app')]).toEqual([true, null]);
    listen();
    await advance(5000);
    expect(guestOf('app')).not.toBeNull();
    expect(calls('start')).toBe(2);
  });
});

describe('by its agent', () => {
  const db = (words = '') =>
    secondaryText('db', {
      commandLine: words,
      spec: { guestAgent: true, readiness: 'GuestAgent' },
    });

  test('it is ready once that has answered, which only to be there is not', async () => {
    await unnestd.write(db());
    expect(ready()).toBe('False AwaitsGuestAgent it waits for an answer of its guest agent');
    const guest = guestOf('db');
    if (guest === null) throw new Error('db does not run');
    guest.agent = 'connected';
    const asked = calls('askAgent');
    await advance(10_000);
    expect(calls('askAgent')).toBeGreaterThan(asked);
    expect(ready()).toBe('True Running');
  });

  test('of one that has its channel with its next start only, that is said', async () => {
    await unnestd.write(secondaryText('db'));
    await unnestd.write(db());
    await advance(5000);
    expect(ready()).toBe(
      'False NeedsRestart it runs without a channel for a guest agent until its next start',
    );
  });
});

describe('by a heartbeat', () => {
  const db = secondaryText('db', { spec: { readiness: 'Heartbeat' } });
  const { uuid, domainName } = refOf('db');
  const cid = cidOf(uuid);
  const awaits = 'False AwaitsHeartbeat it waits for its heartbeat over vsock, port 9000';

  function runs(): void {
    const runId = guestOf('db')?.runId ?? -1;
    unnestd.hosts.running.splice(0, 1, { uuid, domainName, runId, cid });
  }

  async function beats(): Promise<string> {
    const peer = { cid, port: 4711, isAlive: () => true };
    const stream = unnestd.runtime.sockets.connectFromVm(9000, peer);
    const heard: number[] = [];
    stream.on('data', (chunk: Buffer) => heard.push(...chunk));
    callerOn(stream);
    stream.write(Buffer.of(0xb7));
    await settled();
    await advance(3000);
    return heard.map((byte) => byte.toString(16)).join(' ');
  }

  test('it is ready once that was heard, and answered', async () => {
    await unnestd.write(`${db}${app}`);
    runs();
    await advance(20_000);
    expect([ready(), guestOf('app')]).toEqual([awaits, null]);
    expect(await beats()).toBe('b7');
    await advance(3000);
    expect(ready()).toBe('True Running');
    expect(guestOf('app')).not.toBeNull();
  });

  test('what one run has said is not of the next', async () => {
    await unnestd.write(db);
    runs();
    await beats();
    expect(ready()).toBe('True Running');
    await runAnew();
    expect(ready()).toBe(awaits);
    runs();
    expect(await beats()).toBe('b7');
    expect(ready()).toBe('True Running');
  });

  test('of a run that is over already nothing is written down', async () => {
    await unnestd.write(db);
    runs();
    await runAnew();
    expect(await beats()).toBe('');
    expect(ready()).toBe(awaits);
  });

  test('nobody listens while nobody is waited for', async () => {
    const connect = () =>
      unnestd.runtime.sockets.connectFromVm(9000, { cid, port: 1, isAlive: () => true });
    expect(connect).toThrow('nobody listens');
    await unnestd.write(db);
    expect(connect).not.toThrow();
    await unnestd.write(secondaryText('db'));
    expect(connect).toThrow('nobody listens');
  });
});
