/** What a hostile Primary may send, and what it gets; others are answered meanwhile. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { channelLimits, primaryLimits } from '../../../src/channel/limits.ts';
import { SocketChannels } from '../../../src/channel/socket-channels.ts';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { bodyOf, settled } from '../../support/virtual-caller.ts';
import { fakeControl, partitionStatus, teamA } from './fake-control.ts';
import { type PrimaryPlace, primaryPlace } from './primary-place.ts';

describe('a Primary that', () => {
  let place: PrimaryPlace;
  beforeEach(async () => {
    place = await primaryPlace();
  });
  afterEach(async () => {
    expect(place.bugs).toEqual([]);
    const closing = place.channel.close();
    await place.runtime.advance(10_000);
    await closing;
  });

  const put = (length: number) =>
    `PUT /v1/partition/desired HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  const isServed = async () => {
    const caller = await place.call(101);
    await place.pass();
    const files = [{ path: 'a.yaml', text: '' }];
    expect(await caller.ask('PUT', '/v1/partition/desired', { files })).toMatch(/^HTTP\/1.1 200/);
  };

  test.each([
    ['headers', 'GET /v1/version HTTP/1.1\r\nx: ', channelLimits.idleMs],
    ['a body', put(1000), channelLimits.bodyMs],
  ])('sends %s a byte at a time has its time, and no more for it', async (_, head, ms) => {
    const caller = await place.call(101);
    caller.stream.write(head);
    await settled();
    for (let late = 0; late < ms; late += 5000) {
      expect(caller.isEnded()).toBe(false);
      caller.stream.write('y');
      await place.runtime.advance(5000);
      await settled();
    }
    expect(caller.isEnded()).toBe(true);
    expect(place.calls).toEqual([]);
    await isServed();
  });

  test('breaks off in the middle of its documents has handed in nothing, and leaves room', async () => {
    for (let n = 0; n < 5; n += 1) {
      const caller = await place.call(101);
      await place.pass();
      caller.stream.write(`${put(100_000)}{"files":[`);
      await settled();
      caller.stream.destroy();
      await settled();
    }
    expect(place.calls).toEqual([]);
    await isServed();
    expect(place.calls).toHaveLength(1);
  });

  test.each([
    '/v1/partition/../partitions/team-b',
    '/v1/partition/%2e%2e/partitions/team-b',
    '/v1/partition/..%2fpartitions/team-b',
    '/v1/partition/./desired',
    '/v1//partition/desired',
    '//v1/partition/desired',
    '/V1/partition/desired',
    '/v1/partition/desired/',
    '/v1/partition/desired%00',
    '/v1/partition/desired;partition=team-b',
    '/v1/partitions/team-b/desired',
    'http://x/v1/partitions/team-b/desired',
    '/v1/partition/secondaries/..%2fweb/stop',
    '/v1/partition/secondaries/web%2fstop',
  ])('asks for %s gets nothing', async (path) => {
    const caller = await place.call(101);
    for (const method of ['GET', 'POST', 'PUT']) {
      const body = method === 'GET' ? undefined : {};
      expect(await caller.ask(method, path, body)).toMatch(/^HTTP\/1.1 4\d\d/);
    }
    expect(place.calls).toEqual([]);
  });

  test.each([
    ['a byte that begins nothing', [0xff]],
    ['half a character', [0xe2, 0x82]],
    ['a character in too many bytes', [0xc0, 0xaf]],
    ['half of a pair', [0xed, 0xa0, 0x80]],
  ])('sends %s is told so, and nothing else is put in its place', async (_, bytes) => {
    const caller = await place.call(101);
    const [before, after] = ['{"files":[{"path":"a.yaml","text":"', '"}]}'];
    const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
    caller.stream.write(Buffer.concat([Buffer.from(put(body.length)), body]));
    await settled();
    expect(bodyOf(caller.heard())).toMatchObject({
      code: 'BadRequest',
      detail: 'the body is not UTF-8',
    });
    expect(place.calls).toEqual([]);
  });
});

describe('ten thousand connections', () => {
  const teamB = 'team-b' as PartitionName;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unnest-many-'));
    chmodSync(folder, 0o700);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('of one Primary are a few, in bounded memory, and others are served', async () => {
    const fake = fakeControl();
    fake.set(partitionStatus({ partition: teamB }));
    const [flooded, other] = ['a.sock', 'b.sock'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const channels = new SocketChannels({
      control: fake.control,
      runtime: machineRuntime(),
      port: 1021,
      sockets: new Map([
        [teamA, flooded],
        [teamB, other],
      ]),
      emit: (event) => expect.unreachable(JSON.stringify(event)),
      onBug: (error) => expect.unreachable(String(error)),
    });
    channels.admit(new Set([teamA, teamB]));
    const client = daemonClient(unixTransport(`${other}_1021`));
    const { signal } = new AbortController();
    await expect.poll(() => client.own(signal).catch(() => null)).toBe(teamB);
    const before = memoryKept();
    const open = new Set<Socket>();
    for (let thousand = 0; thousand < 10; thousand += 1) {
      for (let hundred = 0; hundred < 10; hundred += 1) {
        await Promise.all(Array.from({ length: 100 }, () => knock(`${flooded}_1021`, open)));
      }
      expect(await client.status(teamB, signal)).toMatchObject({ partition: teamB });
    }
    await expect.poll(() => open.size).toBeLessThanOrEqual(primaryLimits.connectionsMax);
    expect(open.size).toBeGreaterThan(0);
    expect(memoryKept() - before).toBeLessThan(6 * 2 ** 20);
    for (const stream of open) stream.destroy();
    await channels.close();
  }, 180_000);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Not what the process has of the machine: that is also what nobody has collected yet. */
function memoryKept(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Connects, and begins a request that never ends. Where too many wait for that already it tries again. */
async function knock(path: string, open: Set<Socket>): Promise<void> {
  while (!(await isLetIn(path, open))) await sleep(5);
}

function isLetIn(path: string, open: Set<Socket>): Promise<boolean> {
  return new Promise((done, fail) => {
    const stream = connect(path);
    stream.once('connect', () => {
      open.add(stream);
      stream.write('GET /v1/version HTTP/1.1\r\nx: ');
      done(true);
    });
    stream.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EAGAIN' ? done(false) : fail(error),
    );
    stream.resume();
    stream.once('close', () => open.delete(stream));
  });
}
