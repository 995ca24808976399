/** What somebody on the operator's socket may cost the daemon, however they ask. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { channelLimits, operatorLimits } from '../../../src/channel/limits.ts';
import type { EventRecord } from '../../../src/report/event.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { partitionName, type PartitionName } from '../../../src/model/names.ts';
import { partitionStatus, teamA } from './fake-control.ts';
import { waitFor } from '../../support/wait-for.ts';

const at = `/v1/partitions/${teamA}`;
const version = request('GET', '/v1/version');
const put = request('PUT', `${at}/desired`, '{"files":[]}');
const watch = request('GET', '/v1/events?watch=1');

let place: ApiPlace;
/** Who the next connection is of. */
let uid = 1000;
let sockets: Socket[] = [];
beforeEach(async () => {
  uid = 1000;
  sockets = [];
  place = await apiPlace(() => ({ uid, gid: 1000, pid: 4242 }));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await place.dispose();
});

function request(method: string, path: string, body = ''): string {
  const head = [`${method} ${path} HTTP/1.1`, 'host: x', `content-length: ${body.length}`];
  return `${[...head, 'content-type: application/json'].join('\r\n')}\r\n\r\n${body}`;
}

const last = (text: string) => text.replace('host: x', 'host: x\r\nconnection: close');
const asked = async (text: string) => place.raw(last(text));
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

/** A connection that reads nothing until it is resumed. */
function connected(text = ''): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect(place.socket, () => {
      socket.write(text);
      done(socket);
    });
    sockets.push(socket);
    socket.on('error', fail);
  });
}

/** All that comes, also if the other side ends it without a word. */
async function untilClosed(text: string): Promise<string> {
  const socket = await connected(text);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  await waitFor(() => expect(isOpen(socket)).toBe(false));
  return answer;
}

/** Lets what was sent arrive: the answer to a later request is there. */
const settled = async () => {
  uid += 1;
  await asked(version);
  uid -= 1;
};

const isOpen = (socket: Socket) => !socket.destroyed;

describe('submissions', () => {
  test('of clients that hang up still count until they are done', async () => {
    let release = () => {};
    const held = new Promise<null>((done) => {
      release = () => done(null);
    });
    place.result = () => held;
    for (let round = 0; round < 10; round += 1) {
      const some = await Promise.all([put, put, put, put].map(connected));
      await settled();
      for (const socket of some) socket.destroy();
      await settled();
    }
    expect(place.calls).toHaveLength(operatorLimits.submissionsMax);
    expect(await asked(put)).toContain('"TooBusy"');
    release();
    place.result = { status: 'refused', code: 'Draining', message: 'x', diagnostics: [] };
    await waitFor(async () => expect(await asked(put)).toContain('"Draining"'));
  });

  test('and rollbacks take each other’s places: for each a whole bundle is read', async () => {
    let release = () => {};
    const held = new Promise<null>((done) => {
      release = () => done(null);
    });
    place.result = () => held;
    const rollback = request('POST', `${at}/rollback`, '{"generation":5}');
    for (let n = 0; n < operatorLimits.submissionsMax; n += 1) await connected(rollback);
    await waitFor(() => expect(place.calls).toHaveLength(operatorLimits.submissionsMax));
    expect(await asked(rollback)).toContain('"TooBusy"');
    expect(await asked(put)).toContain('"TooBusy"');
    expect(await asked(request('POST', `${at}/plan`, '{"files":[]}'))).toContain('"TooBusy"');
    expect(statusOf(await asked(request('POST', `${at}/retry`, '{}')))).toBe(200);
    release();
  });

  test('that wait behind another answer when their client hangs up count no longer', async () => {
    place.answer = () => new Promise(() => {});
    for (let count = 0; count < operatorLimits.submissionsMax; count += 1) {
      const socket = await connected(request('POST', `${at}/retry`, '{}') + put);
      await waitFor(() => expect(place.calls).toHaveLength(2 * (count + 1)));
      socket.destroy();
    }
    await waitFor(async () => expect(statusOf(await asked(put))).toBe(200));
  });
});

describe('a connection', () => {
  test.each([
    ['one more stream', watch],
    ['a thousand', watch.repeat(1000)],
    ['a question', version],
  ])('with a stream ends when somebody asks behind it for %s', async (_what, more) => {
    const socket = await connected(watch);
    await waitFor(() => expect(place.listeners()).toBe(1));
    socket.write(more);
    await waitFor(() => expect(place.listeners()).toBe(0));
    socket.resume();
    await waitFor(() => expect(isOpen(socket)).toBe(false));
  });

  test('that asks for a stream and for more at once gets neither', async () => {
    let most = 0;
    const control = { ...place.control };
    Object.assign(place.control, {
      onEvent: (listener: (record: EventRecord) => void) => {
        most += 1;
        return control.onEvent(listener);
      },
    });
    expect(await untilClosed(watch.repeat(1000))).toBe('');
    expect(await untilClosed(version + watch)).not.toContain('ndjson');
    expect(most).toBe(0);
    expect(place.listeners()).toBe(0);
  });

  test('is kept for other requests when a stream has ended', async () => {
    place.say({ kind: 'host-back' });
    const socket = await connected(request('GET', '/v1/events'));
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    await waitFor(() => expect(text).toMatch(/"host-back"[^]*\r\n0\r\n\r\n$/));
    socket.write(version);
    await waitFor(() => expect(text).toContain('"version":"1.2.3"'));
    for (let count = 0; count < 2 * operatorLimits.requestsPerConnectionMax; count += 1) {
      text = '';
      socket.write(version);
      await waitFor(() => expect(text).toContain('"version":"1.2.3"'));
    }
  });

  test('that asks for too much at once ends, and what it asked for is not done', async () => {
    place.answer = () => new Promise(() => {});
    expect(await untilClosed(request('POST', `${at}/retry`, '{}').repeat(1000))).toBe('');
    expect(place.calls.length).toBeLessThanOrEqual(operatorLimits.requestsPerConnectionMax);
  });

  test('is one of a few of its user, and there is room again when one ends', async () => {
    const { connectionsPerUserMax, connectionsMax } = operatorLimits;
    const own = await Promise.all(Array.from({ length: connectionsPerUserMax }, () => connected()));
    expect(await asked(version)).toContain('connections of uid 1000');
    for (uid = 1001; uid < 1000 + connectionsMax / connectionsPerUserMax; uid += 1) {
      for (let count = 0; count < connectionsPerUserMax; count += 1) await connected();
    }
    const refused = await asked(version);
    expect(refused).toContain(`more than ${connectionsMax} connections at`);
    expect(statusOf(refused)).toBe(503);
    own[0]?.destroy();
    await waitFor(async () => expect(statusOf(await asked(version))).toBe(200));
  });
});

test('streams leave connections for a question', async () => {
  for (let count = 0; count < operatorLimits.streamsMax; count += 1) {
    uid = 1000 + (count % 5);
    await connected(watch);
  }
  await waitFor(() => expect(place.listeners()).toBe(operatorLimits.streamsMax));
  const refused = await asked(watch);
  expect(statusOf(refused)).toBe(503);
  expect(refused).toContain('too many streams');
  expect(statusOf(await asked(version))).toBe(200);
});

describe('a body', () => {
  const large = JSON.stringify({ reason: 'x', more: 'y'.repeat(channelLimits.orderBytesMax) });

  test('of an order is small', async () => {
    const text = await asked(request('POST', `${at}/pause`, large));
    expect(statusOf(text)).toBe(413);
    expect(text).toContain(`more than ${channelLimits.orderBytesMax} bytes`);
  });

  test.each([
    ['lists without end', `{"files":[${'[],'.repeat(100_000)}[]]}`],
    ['depth without end', '{"files":'.repeat(100)],
  ])('of %s is not even read', async (_what, body) => {
    const text = await asked(request('PUT', `${at}/desired`, body));
    expect(statusOf(text)).toBe(400);
    expect(text).toContain('values, or is nested deeper');
    expect(place.calls).toEqual([]);
  });

  test('of as many files as may be is read', async () => {
    const files = Array.from({ length: channelLimits.filesMax }, (_, index) => {
      return { path: `${index}.yaml`, text: '{"a":[1,2,{"b":[[[[[[[[[3]]]]]]]]]}],"c":"' };
    });
    const body = JSON.stringify({ files, generation: 7, ifGeneration: 6, deletionsMax: 1 });
    expect(statusOf(await asked(request('PUT', `${at}/desired`, body)))).toBe(200);
  });
});

describe('what nobody reads', () => {
  const large = (bytes: number) =>
    place.set({ ...place.control.status(teamA)!, digest: 'x'.repeat(bytes) });
  const lengthOf = async (socket: Socket) => {
    let length = 0;
    socket.on('data', (chunk: Buffer) => (length += chunk.length));
    await waitFor(() => expect(isOpen(socket)).toBe(false));
    return length;
  };

  test('of an answer is thrown away with its connection after a time', async () => {
    large(8 * 2 ** 20);
    const socket = await connected(request('GET', at));
    await settled();
    place.ring(channelLimits.drainMs);
    expect(await lengthOf(socket)).toBeLessThan(8 * 2 ** 20);
  });

  test('of a stream ends it after a time, though nothing more happens', async () => {
    large(2 * 2 ** 20);
    await connected(request('GET', `${at}/status?watch=1`));
    await waitFor(() => expect(place.listeners()).toBe(2));
    place.ring(channelLimits.drainMs - 1);
    await settled();
    expect(place.listeners()).toBe(2);
    place.ring(channelLimits.drainMs);
    await waitFor(() => expect(place.listeners()).toBe(0));
  });

  test('of a stream that has ended is thrown away as well', async () => {
    for (let count = 0; count < 20; count += 1) {
      place.say({ kind: 'host-lost', message: 'x'.repeat(2 ** 17) });
    }
    const socket = await connected(request('GET', '/v1/events'));
    await settled();
    place.ring(channelLimits.drainMs);
    expect(await lengthOf(socket)).toBeLessThan(20 * 2 ** 17);
  });

  test('is bounded over all connections, and ends streams that lag, but no others', async () => {
    const of = (name: PartitionName, bytes: number) =>
      place.set(partitionStatus({ partition: name, digest: 'x'.repeat(bytes) }));
    const others = partitionName('team-b') as PartitionName;
    uid = 2000;
    of(teamA, 2 * 2 ** 20);
    of(others, operatorLimits.unreadInAllBytesMax / 4);
    await connected(request('GET', `${at}/status?watch=1`));
    const reader = await connected(request('GET', `${at}/status?watch=1`));
    let read = 0;
    reader.on('data', (chunk: Buffer) => (read += chunk.length));
    await waitFor(() => expect(place.listeners()).toBe(4));
    // What it has not read yet would be held against it as well.
    await waitFor(() => expect(read).toBeGreaterThan(2 * 2 ** 20));
    uid = 1000;
    for (let count = 0; count < 4; count += 1) {
      await connected(request('GET', `/v1/partitions/${others}`));
    }
    await waitFor(async () => expect(await asked(version)).toContain('nobody reads'));
    expect(place.listeners()).toBe(4);
    of(teamA, 1);
    await waitFor(() => expect(place.listeners()).toBe(2));
    of(teamA, 2);
    for (const socket of sockets) if (socket !== reader) socket.destroy();
    await waitFor(async () => expect(statusOf(await asked(version))).toBe(200));
    expect(place.listeners()).toBe(2);
  });
});
