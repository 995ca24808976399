/** Who is listened to on the channel, for which partition, and for how long. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { primaryLimits } from '../../../src/channel/limits.ts';
import { historyEntry, partitionStatus } from './fake-control.ts';
import { bodyOf, callerOn, settled } from '../../support/virtual-caller.ts';
import { port, type PrimaryPlace, primaryPlace, runOf } from './primary-place.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import type { VmRun } from '../../../src/model/vm-run.ts';

const teamB = 'team-b' as PartitionName;

let place: PrimaryPlace;
beforeEach(async () => {
  place = await primaryPlace();
  place.set(partitionStatus({ partition: teamB }));
});
afterEach(async () => {
  await place.channel.close();
  expect(place.bugs).toEqual([]);
});

describe('a Primary', () => {
  test('is told of its own partition, which it need not name', async () => {
    const caller = await place.call(101);
    expect(bodyOf(await caller.ask('GET', '/v1/partition'))).toMatchObject({ partition: 'team-a' });
    expect(bodyOf(await caller.ask('GET', '/v1/version'))).toEqual({
      version: '1.2.3',
      api: 'v1',
      features: ['idempotency-key', 'looks-anew'],
      partition: 'team-a',
    });
  });

  test('submits for its partition, as the channel, by its name', async () => {
    const caller = await place.call(101);
    const answer = await caller.ask('PUT', '/v1/partition/desired', { files: [] });
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(place.calls).toMatchObject([
      {
        method: 'submit',
        args: ['team-a', { source: 'Channel', submitter: 'Primary vm-101, CID 101' }],
      },
    ]);
  });

  test.each([
    ['GET', '/v1/partitions'],
    ['GET', '/v1/partitions/team-a'],
    ['GET', '/v1/partitions/team-b'],
    ['PUT', '/v1/partitions/team-b/desired'],
    ['GET', '/v1/events'],
    ['GET', '/v1/partition/../partitions/team-b'],
    ['GET', '/v1/partition/team-b/status'],
  ])('has no word for another partition: %s %s', async (method, path) => {
    const caller = await place.call(101);
    expect(await caller.ask(method, path, method === 'PUT' ? { files: [] } : undefined)).toMatch(
      /^HTTP\/1.1 404/,
    );
    expect(place.calls).toEqual([]);
  });

  test.each(['partition', 'source', 'submitter'])(
    'cannot say %s in a submission',
    async (field) => {
      const caller = await place.call(101);
      const answer = await caller.ask('PUT', '/v1/partition/desired', {
        files: [],
        [field]: 'team-b',
      });
      expect(bodyOf(answer)).toMatchObject({ code: 'BadRequest' });
      expect(place.calls).toEqual([]);
    },
  );

  test('hears only of its own partition, and nothing of the host', async () => {
    place.say({ kind: 'daemon-started', version: '1' });
    place.say({ kind: 'channel-refused', cid: 55, reason: 'UnknownCid', times: 1 });
    place.say({ kind: 'partition-added', partition: teamB });
    place.say({
      kind: 'gave-up',
      partition: 'team-a' as PartitionName,
      attempts: 3,
      message: 'no',
    });
    const caller = await place.call(101);
    const answer = await caller.ask('GET', '/v1/partition/events');
    expect(answer).toContain('"gave-up"');
    expect(answer).not.toMatch(/daemon-started|channel-refused|team-b/);
  });

  test('does not learn who the operators are, or where things are on the host', async () => {
    const message = 'paused by uid 12, pid 34: /var/lib/unnest/team-a is full';
    const paused = { type: 'Paused', status: 'True', reason: 'Held', message } as const;
    const since = '2026-01-01T00:00:00.000Z';
    place.set(partitionStatus({ conditions: [{ ...paused, since, generation: 6 }] }));
    place.kept = [historyEntry(5)];
    const caller = await place.call(101);
    const status = await caller.ask('GET', '/v1/partition');
    expect(status).toContain('paused by an operator of the host: (a path of the host) is full');
    expect(await caller.ask('GET', '/v1/partition/history')).not.toContain('uid 0');
    // Neither in a stream, nor in a refusal.
    const watching = await place.call(101);
    expect(await watching.ask('GET', '/v1/partition/status?watch=1')).not.toContain('uid 12');
    const refusal = { status: 'refused', code: 'NotStored', message, diagnostics: [] } as const;
    place.result = refusal;
    const answer = await caller.ask('PUT', '/v1/partition/desired', { files: [] });
    expect(bodyOf(answer)).toMatchObject({
      code: 'NotStored',
      detail: expect.not.stringMatching(/uid|var/),
    });
  });

  test('is in the books with what it has asked for, and what came of it', async () => {
    const caller = await place.call(101);
    await caller.ask('PUT', '/v1/partition/desired', { files: [] });
    place.answer = { status: 'refused', code: 'RunPolicy', message: 'it is Halted' };
    place.claim = place.answer;
    await caller.ask('POST', '/v1/partition/secondaries/web/start', {});
    await caller.ask('POST', '/v1/partition/drain', { confirm: 'team-a' });
    await caller.ask('POST', '/v1/partition/secondaries/web/start', { now: true });
    const console = '/v1/partition/secondaries/web/console';
    await caller.ask('POST', `${console}/writer`, { reader: '1-x' });
    // Who only looks is not, and neither is what somebody types.
    await caller.ask('POST', `${console}/input`, { reader: '1-x', data: 'cGFzc3dvcmQ=' });
    await caller.ask('GET', '/v1/partition');
    const by = { by: 'Primary vm-101, CID 101', from: 'primary', partition: 'team-a' };
    expect(place.audited).toMatchObject([
      { ...by, request: 'PUT desired', outcome: 'ok', generation: 7 },
      { ...by, request: 'POST secondaries/web/start', outcome: 'RunPolicy', generation: null },
      { ...by, request: 'POST drain', outcome: 'OperatorsOnly' },
      { ...by, request: 'POST secondaries/web/start', outcome: 'BadRequest', generation: null },
      { ...by, request: 'POST secondaries/web/console/writer', outcome: 'RunPolicy' },
    ]);
    expect(place.calls).toMatchObject([
      { method: 'submit' },
      { method: 'power' },
      { method: 'claimConsole', args: ['team-a', 'web', { reader: '1-x', force: false }, by.by] },
      { method: 'typeOnConsole', args: ['team-a', 'web', '1-x', Buffer.from('password')] },
    ]);
    expect(await caller.ask('GET', '/v1/audit')).toMatch(/^HTTP\/1.1 404/);
  });

  test('types more often than it may ask for work, and takes nothing from that', async () => {
    const caller = await place.call(101);
    const typed = { reader: '1-x', data: 'bHM=' };
    const at = '/v1/partition/secondaries/web/console/input';
    for (let count = 0; count < 40; count += 1) {
      expect(bodyOf(await caller.ask('POST', at, typed))).toMatchObject({ status: 'ok' });
    }
    expect(bodyOf(await caller.ask('POST', '/v1/partition/retry', {}))).toMatchObject({
      status: 'ok',
    });
  });

  test('asks for work twenty times at once, and then twice a second', async () => {
    const caller = await place.call(101);
    const ask = async () => bodyOf(await caller.ask('POST', '/v1/partition/retry', {}));
    for (let count = 0; count < 20; count += 1) await ask();
    expect(place.calls).toHaveLength(20);
    expect(await ask()).toMatchObject({ code: 'TooManyRequests' });
    expect(place.calls).toHaveLength(20);
    // What is known may be read all the same.
    expect(await caller.ask('GET', '/v1/partition')).toMatch(/^HTTP\/1.1 200/);
    await place.runtime.advance(1000);
    await ask();
    await ask();
    expect(await ask()).toMatchObject({ code: 'TooManyRequests' });
  });

  test('asks how much it uses as work, since the host is looked at for it', async () => {
    const caller = await place.call(101);
    for (let count = 0; count < 20; count += 1) await caller.ask('GET', '/v1/partition/usage');
    expect(place.calls).toHaveLength(20);
    expect(bodyOf(await caller.ask('GET', '/v1/partition/usage'))).toMatchObject({
      code: 'TooManyRequests',
    });
    expect(place.calls).toHaveLength(20);
  });

  test('becomes the agent ten times at once, and then every five seconds', async () => {
    const attach = async () => {
      const caller = await place.call(101);
      await place.pass();
      const answer = await caller.ask('GET', '/v1/partition/agent');
      caller.stream.destroy();
      await settled();
      return answer;
    };
    for (let count = 0; count < 10; count += 1) expect(await attach()).toContain('"attached"');
    expect(await attach()).toContain('"TooManyRequests"');
    await place.runtime.advance(4000);
    expect(await attach()).toContain('"attached"');
    expect(await attach()).toContain('"TooManyRequests"');
    // Of its orders it has lost none for it.
    const caller = await place.call(101);
    await place.pass();
    for (let count = 0; count < 20; count += 1) {
      expect(await caller.ask('POST', '/v1/partition/retry', {})).toMatch(/^HTTP\/1.1 200/);
    }
  });

  test('loses a connection on which it goes on asking too fast', async () => {
    const caller = await place.call(101);
    const burst = primaryLimits.rate?.burst ?? 0;
    for (let count = 0; count < burst + 25; count += 1) await caller.ask('GET', '/v1/version');
    expect(caller.isEnded()).toBe(true);
  });

  test.each(['pause', 'resume', 'drain'])('may not %s, which is for operators', async (order) => {
    const caller = await place.call(101);
    const answer = await caller.ask('POST', `/v1/partition/${order}`, {
      confirm: 'team-a',
      reason: 'x',
    });
    expect(bodyOf(answer)).toMatchObject({ code: 'OperatorsOnly', status: 403 });
    expect(place.calls).toEqual([]);
  });

  test('asks as often as it may, and again a second later', async () => {
    const caller = await place.call(101);
    const burst = primaryLimits.rate?.burst ?? 0;
    for (let count = 0; count < burst; count += 1) await caller.ask('GET', '/v1/version');
    expect(bodyOf(await caller.ask('GET', '/v1/version'))).toMatchObject({
      code: 'TooManyRequests',
    });
    await place.runtime.advance(1000);
    expect(await caller.ask('GET', '/v1/version')).toMatch(/^HTTP\/1.1 200/);
  });

  test('has its bounds to itself: what one asks too often, another one may', async () => {
    place.running = [runOf(101), runOf(102)];
    place.admit({ 'vm-101': 'team-a', 'vm-102': 'team-b' });
    const [a, b] = [await place.call(101), await place.call(102)];
    await place.pass();
    const burst = primaryLimits.rate?.burst ?? 0;
    for (let count = 0; count <= burst; count += 1) await a.ask('GET', '/v1/version');
    expect(bodyOf(await a.ask('GET', '/v1/version'))).toMatchObject({ code: 'TooManyRequests' });
    expect(bodyOf(await b.ask('GET', '/v1/partition'))).toMatchObject({ partition: 'team-b' });
  });

  test('sends no more than a mebibyte of documents', async () => {
    const caller = await place.call(101);
    const files = [{ path: 'a.yaml', text: 'x'.repeat(primaryLimits.bodyBytesMax) }];
    const answer = await caller.ask('PUT', '/v1/partition/desired', { files });
    expect(answer).toMatch(/^HTTP\/1.1 413/);
  });
});

describe('nobody reads a byte of', () => {
  /** What comes of asking. */
  const heardBy = async (cid: number, from: { port?: number; isAlive?: () => boolean } = {}) => {
    const caller = await place.call(cid, from);
    caller.stream.write('GET /v1/version HTTP/1.1\r\nhost: x\r\n\r\n');
    await settled();
    return { text: caller.heard(), isEnded: caller.isEnded() };
  };
  const nothing = { text: '', isEnded: true };
  const refused = () =>
    place.events.flatMap((event) => (event.kind === 'channel-refused' ? [event] : []));

  test('a VM that is no Primary, such as a Secondary', async () => {
    expect(await heardBy(55)).toEqual(nothing);
    expect(refused()).toMatchObject([{ cid: 55, reason: 'UnknownCid' }]);
  });

  test('a Primary whose partition has another source', async () => {
    place.admit({ 'vm-200': 'team-b' });
    expect(await heardBy(101)).toEqual(nothing);
  });

  test('a process in a Primary that is not root', async () => {
    expect(await heardBy(101, { port: 1024 })).toEqual(nothing);
    expect(refused()).toMatchObject([{ cid: 101, reason: 'UnprivilegedPort' }]);
    expect(place.lookups()).toBe(0);
  });

  test('a VM that is gone when it is known whose its address is: another may have it', async () => {
    expect(await heardBy(101, { isAlive: () => false })).toEqual(nothing);
  });

  test('anybody while the host cannot be read', async () => {
    place.running = () => Promise.reject(new Error('no libvirtd'));
    expect(await heardBy(101)).toEqual(nothing);
    expect(refused()).toMatchObject([{ cid: 101, reason: 'HostUnknown' }]);
  });

  test('a Primary whose channel is taken away while its API is being made', async () => {
    const peer = { cid: 101, port: 700, isAlive: () => true };
    const caller = callerOn(place.runtime.sockets.connectFromVm(port, peer));
    while (place.lookups() === 0) await Promise.resolve();
    // It is known by then who it is.
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    place.admit({ 'vm-102': 'team-a' });
    expect(bodyOf(await caller.ask('GET', '/v1/version'))).toBe(null);
    expect(caller.isEnded()).toBe(true);
  });

  test('a Primary that is none any more when it is known who it is', async () => {
    place.running = async () => {
      place.admit({ 'vm-9': 'team-b' });
      return [runOf(101)];
    };
    expect(await heardBy(101)).toEqual(nothing);
  });
});

test('a Primary has so many connections and no more, whatever it reads', async () => {
  const callers = [];
  for (let count = 0; count < primaryLimits.connectionsMax + 20; count += 1) {
    callers.push(await place.call(101));
    await place.runtime.advance(1000);
    await settled();
  }
  const open = callers.filter((each) => !each.isEnded());
  expect(open).toHaveLength(primaryLimits.connectionsMax);
});

describe('a connection ends', () => {
  test('with the run of its VM, also when another has its address by then', async () => {
    const caller = await place.call(101);
    expect(await caller.ask('GET', '/v1/version')).toMatch(/^HTTP\/1.1 200/);
    place.running = [runOf(101, { runId: 2 })];
    place.sign('vm-101');
    await place.pass();
    expect(caller.isEnded()).toBe(true);
  });

  test('not for what happens to others, or to itself in its run', async () => {
    const caller = await place.call(101);
    place.sign('vm-7');
    place.sign('vm-101');
    await place.pass();
    expect(caller.isEnded()).toBe(false);
  });

  test('not because the host cannot be read', async () => {
    const caller = await place.call(101);
    place.running = () => Promise.reject(new Error('no libvirtd'));
    place.sign('vm-101');
    await place.pass();
    expect(caller.isEnded()).toBe(false);
  });

  test('not because something is not known of its VM, while others are', async () => {
    const caller = await place.call(101);
    place.running = [];
    place.unread = ['vm-101'];
    place.sign('vm-101');
    await place.pass();
    expect(caller.isEnded()).toBe(false);
  });

  test('when the operator takes the channel away, or gives it to another', async () => {
    const caller = await place.call(101);
    place.admit({ 'vm-101': 'team-b' });
    await settled();
    expect(caller.isEnded()).toBe(true);
    const next = await place.call(101);
    await place.pass();
    expect(bodyOf(await next.ask('GET', '/v1/partition'))).toMatchObject({ partition: 'team-b' });
  });

  test('when its partition gets another Primary', async () => {
    const caller = await place.call(101);
    place.admit({ 'vm-102': 'team-a' });
    await settled();
    expect(caller.isEnded()).toBe(true);
  });

  test('with unnestd', async () => {
    const caller = await place.call(101);
    await place.channel.close();
    await settled();
    expect(caller.isEnded()).toBe(true);
  });
});

describe('knocking', () => {
  test('by somebody unknown costs one look a second, and one word a minute', async () => {
    for (let count = 0; count < 100; count += 1) await place.call(55);
    expect(place.lookups()).toBe(1);
    await place.runtime.advance(60_000);
    await place.call(55);
    expect(place.lookups()).toBe(2);
    const told = place.events.flatMap((event) =>
      event.kind === 'channel-refused' ? [event.times] : [],
    );
    expect(told).toEqual([1, 100]);
  });

  test('by many at once costs two looks, and of one address only a few wait', async () => {
    let answer: (runs: readonly VmRun[]) => void = () => undefined;
    place.running = () => new Promise((done) => (answer = done));
    const callers = await Promise.all(Array.from({ length: 20 }, () => place.call(101)));
    expect(place.lookups()).toBe(1);
    expect(callers.filter((each) => each.isEnded())).toHaveLength(12);
    place.running = [runOf(101)];
    answer([runOf(101)]);
    await place.pass();
    expect(place.lookups()).toBe(2);
    expect(callers.filter((each) => each.isEnded())).toHaveLength(12);
  });

  test('by one that is known does not decide how often libvirt is asked, nor how many come', async () => {
    for (let count = 0; count < 500; count += 1) (await place.call(101)).stream.destroy();
    expect(place.lookups()).toBe(1);
    await place.pass();
    expect(place.lookups()).toBe(2);
    const told = place.events.flatMap((event) =>
      event.kind === 'channel-refused' ? [event.reason] : [],
    );
    expect(told).toEqual(['TooMany']);
  });

  test('while the host cannot be read is no reason to read it more often', async () => {
    place.running = () => Promise.reject(new Error('no libvirtd'));
    for (let count = 0; count < 100; count += 1) await place.call(55);
    expect(place.lookups()).toBe(1);
  });

  test('is answered as of after it: an answer that was under way may be of before', async () => {
    const answers: ((runs: readonly VmRun[]) => void)[] = [];
    place.running = () => new Promise((done) => answers.push(done));
    await place.call(55);
    const late = await place.call(101);
    // What was asked for the first knows of the one that had the address before.
    answers[0]?.([runOf(101, { domainName: 'vm-101' })]);
    await place.pass();
    expect(late.isEnded()).toBe(false);
    answers[1]?.([]);
    await settled();
    expect(late.isEnded()).toBe(true);
  });
});

describe('listening', () => {
  const knock = () =>
    place.runtime.sockets.connectFromVm(port, { cid: 1, port: 1, isAlive: () => true });

  test('ends with the last channel, and begins with the next', async () => {
    place.admit({});
    await settled();
    expect(knock).toThrow('nobody listens');
    place.admit({ 'vm-101': 'team-a' });
    await settled();
    expect(bodyOf(await (await place.call(101)).ask('GET', '/v1/partition'))).not.toBe(null);
  });

  test('begins when somebody has a channel, and is tried again until it can', async () => {
    const { runtime } = place;
    await place.channel.close();
    expect(() =>
      runtime.sockets.connectFromVm(port, { cid: 1, port: 1, isAlive: () => true }),
    ).toThrow('nobody listens');
  });
});
