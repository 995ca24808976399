/** Where guests say that they are ready: who is heard, and what others get. */
import type { Duplex } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { Heartbeats } from '../../../src/channel/heartbeats.ts';
import type { DomainUuid } from '../../../src/model/identity.ts';
import type { VmRun } from '../../../src/model/vm-run.ts';
import type { DaemonEvent } from '../../../src/report/event.ts';
import { settled } from '../../support/virtual-caller.ts';
import { type VirtualRuntime, virtualRuntime } from '../../support/virtual-runtime.ts';

const uuid = '5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c03' as DomainUuid;
const domainName = 'unnest.team-a.db';
const cid = 3_000_000_001;
const port = 9000;
const run: VmRun = { domainName, uuid, runId: 4, cid };

let runtime: VirtualRuntime;
let heartbeats: Heartbeats;
let running: readonly VmRun[] | Error;
let noted: readonly VmRun[];
let isWritten: boolean;
let lookups: number;
let events: DaemonEvent[];
let bugs: unknown[];

beforeEach(async () => {
  [running, noted, isWritten, lookups, events, bugs] = [[run], [], true, 0, [], []];
  runtime = virtualRuntime();
  heartbeats = new Heartbeats({
    runtime,
    vmRuns: {
      of: async (names) => {
        lookups += 1;
        if (running instanceof Error) throw running;
        return {
          runs: running.filter((each) => names.includes(each.domainName)),
          unread: [],
        };
      },
    },
    whose: (of) =>
      of === cid
        ? {
            ref: { uuid, domainName },
            heard: async (heard) => {
              noted = [...noted, heard];
              return isWritten;
            },
          }
        : null,
    emit: (event) => events.push(event),
    onBug: (error) => bugs.push(error),
  });
  heartbeats.listen(true);
  await settled();
});

interface Guest {
  readonly stream: Duplex;
  readonly heard: number[];
  readonly isEnded: () => boolean;
}

async function connect(of = cid, isAlive = () => true): Promise<Guest> {
  const stream = runtime.sockets.connectFromVm(port, { cid: of, port: 4711, isAlive });
  const heard: number[] = [];
  let ended = false;
  stream.on('data', (chunk: Buffer) => heard.push(...chunk));
  for (const event of ['end', 'close']) stream.on(event, () => (ended = true));
  stream.on('error', () => undefined);
  await settled();
  return { stream, heard, isEnded: () => ended };
}

async function says(bytes: readonly number[], of = cid, isAlive = () => true): Promise<Guest> {
  const guest = await connect(of, isAlive);
  guest.stream.write(Buffer.from(bytes));
  await settled();
  return guest;
}

const refusals = () =>
  events.flatMap((event) =>
    event.kind === 'heartbeat-refused' ? [`${event.cid} ${event.reason} ${event.times}`] : [],
  );

test('a heartbeat is written down with its run, and answered by the same byte', async () => {
  const { heard, isEnded } = await says([0xb7]);
  expect([heard, isEnded(), noted, refusals()]).toEqual([[0xb7], true, [run], []]);
});

test('what comes behind it is not heard, and not answered', async () => {
  const { heard } = await says([0xb7, ...Buffer.from('GET / HTTP/1.1\r\n\r\n'), 0xb7]);
  expect([heard, noted.length]).toEqual([[0xb7], 1]);
});

test('what cannot be written down is not answered', async () => {
  isWritten = false;
  const { heard, isEnded } = await says([0xb7]);
  expect([heard, isEnded(), refusals()]).toEqual([[], true, [`${cid} HostUnknown 1`]]);
});

test('another byte is no heartbeat', async () => {
  const { heard, isEnded } = await says([0x41]);
  expect([heard, isEnded(), noted, refusals()]).toEqual([[], true, [], [`${cid} NoHeartbeat 1`]]);
});

test('who says nothing is not waited for longer than two seconds', async () => {
  const { isEnded } = await connect();
  await runtime.advance(1900);
  expect(isEnded()).toBe(false);
  await runtime.advance(200);
  await settled();
  expect([isEnded(), refusals()]).toEqual([true, [`${cid} NoHeartbeat 1`]]);
});

describe('is not heard, and not a byte of it is read', () => {
  test('who is not waited for, and nobody is asked about it', async () => {
    const { heard, isEnded } = await says([0xb7], 101);
    expect([heard, isEnded(), lookups]).toEqual([[], true, 0]);
    expect(refusals()).toEqual(['101 UnknownCid 1']);
  });

  test.each([
    ['who does not run', []],
    ['whose address another domain has by now', [{ ...run, uuid: 'other' as DomainUuid }]],
    ['who has another address', [{ ...run, cid: cid + 1 }]],
  ])('%s', async (_who, runs) => {
    running = runs;
    const { isEnded } = await says([0xb7]);
    expect([isEnded(), noted, refusals()]).toEqual([true, [], [`${cid} UnknownCid 1`]]);
  });

  test('whoever it is while the host cannot be asked', async () => {
    running = new Error('libvirtd is gone');
    const { isEnded } = await says([0xb7]);
    expect([isEnded(), noted, refusals()]).toEqual([true, [], [`${cid} HostUnknown 1`]]);
  });

  test('of which the VM that has connected is gone', async () => {
    await says([0xb7], cid, () => false);
    expect([noted, refusals()]).toEqual([[], []]);
  });
});

describe('costs no more than a little', () => {
  test('a second connection while the first is not over', async () => {
    await connect();
    const { isEnded } = await says([0xb7]);
    expect([isEnded(), lookups, refusals()]).toEqual([true, 1, [`${cid} TooMany 1`]]);
  });

  const again = async (times: number) => {
    for (let time = 0; time < times; time += 1) {
      const { stream } = await says([0xb7]);
      stream.end();
      await settled();
    }
  };

  test('whoever says it again and again', async () => {
    await again(50);
    expect(lookups).toBe(5);
    await runtime.advance(2000);
    await again(50);
    expect(lookups).toBe(7);
    expect(bugs).toEqual([]);
  });
});

test('nobody is heard once nobody listens', async () => {
  const { isEnded } = await connect();
  await heartbeats.close();
  await settled();
  expect(isEnded()).toBe(true);
  expect(() => runtime.sockets.connectFromVm(port, { cid, port: 1, isAlive: () => true })).toThrow(
    'nobody listens',
  );
});
