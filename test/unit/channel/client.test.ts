/** The client and the API together, over a real socket: what one sends, the other understands. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient, type DaemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { DaemonError } from '../../../src/channel/daemon-error.ts';
import { channelLimits } from '../../../src/channel/limits.ts';
import { partitionName, type PartitionName } from '../../../src/model/names.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { bundle, partitionStatus, teamA, web } from './fake-control.ts';
import { waitFor } from '../../support/wait-for.ts';

let place: ApiPlace;
let client: DaemonClient;
let stop: AbortController;
beforeEach(async () => {
  place = await apiPlace();
  client = daemonClient(unixTransport(place.socket));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await place.dispose();
});

const nobody = partitionName('nobody') as PartitionName;
const failure = async (asking: Promise<unknown>): Promise<DaemonError> => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DaemonError) return error;
  throw new Error(`no DaemonError: ${String(error)}`);
};

describe('reads', () => {
  test('are the daemon’s own words, unchanged', async () => {
    const { signal } = stop;
    expect(await client.about(signal)).toEqual({
      version: '1.2.3',
      partition: null,
      api: 'v1',
      features: ['idempotency-key', 'looks-anew'],
      host: 'qemu:///system',
      stateDir: '/var/lib/unnest',
      thinPool: null,
    });
    place.problems = [{ file: 'b.yaml', code: 'UnknownField', message: 'no such field' }];
    expect(await client.partitions(signal)).toEqual({
      items: [partitionStatus()],
      problems: place.problems,
      promised: place.sum,
      partitionsDir: '/etc/unnest/partitions',
    });
    expect(await client.status(teamA, signal)).toEqual(partitionStatus());
    expect(await client.desired(teamA, signal)).toEqual(bundle(6));
    const history = await client.history(teamA, signal);
    expect(history.map(({ generation }) => generation)).toEqual([5, 6]);
  });

  test('of a partition that is not there fail with its code', async () => {
    for (const asking of [
      client.status(nobody, stop.signal),
      client.statuses(nobody, stop.signal),
      client.desired(nobody, stop.signal),
      client.history(nobody, stop.signal),
      client.retry(nobody, stop.signal),
      client.events({ partition: nobody }, stop.signal),
    ]) {
      expect(await failure(asking)).toMatchObject({
        code: 'NoPartition',
        message: 'the operator has described no partition nobody on this host',
      });
    }
  });

  test('of a partition whose document is wrong say what is wrong with it', async () => {
    place.problems = [
      { file: 'body.yaml', code: 'Other', message: 'of another one' },
      { file: 'nobody.yaml', code: 'UnknownField', message: 'no such' },
    ];
    for (const asking of [
      client.status(nobody, stop.signal),
      client.retry(nobody, stop.signal),
      client.rollback(nobody, { generation: 3 }, stop.signal),
    ]) {
      expect(await failure(asking)).toMatchObject({
        code: 'NoPartition',
        message:
          'the operator has described no partition nobody on this host: ' +
          'nobody.yaml: UnknownField: no such',
      });
    }
  });
});

describe('orders', () => {
  test('come with who gives them, as the kernel says', async () => {
    const { signal } = stop;
    const submitter = 'uid 1000, pid 4242';
    await client.pause(teamA, { secondary: web, reason: 'backup', forSeconds: 90 }, signal);
    await client.pause(teamA, { reason: 'move' }, signal);
    await client.resume(teamA, null, signal);
    await client.power(teamA, web, 'restart', signal);
    await client.retry(teamA, signal);
    expect(await client.drain(teamA, signal)).toBe('taken down');
    const expiresAt = '2026-01-01T00:01:30.000Z';
    expect(place.calls).toEqual([
      {
        method: 'pause',
        args: [teamA, { secondary: web, reason: 'backup', submitter, expiresAt }],
      },
      {
        method: 'pause',
        args: [teamA, { secondary: null, reason: 'move', submitter, expiresAt: null }],
      },
      { method: 'resume', args: [teamA, null, submitter] },
      { method: 'power', args: [teamA, web, 'restart', submitter, null] },
      { method: 'retry', args: [teamA, submitter] },
      { method: 'drain', args: [teamA, submitter] },
    ]);
  });

  test('that are refused fail with the code and the words of the daemon', async () => {
    place.answer = { status: 'refused', code: 'NotManual', message: 'its run policy is Always' };
    expect(await failure(client.power(teamA, web, 'stop', stop.signal))).toMatchObject({
      code: 'NotManual',
      message: 'its run policy is Always',
    });
  });
});

describe('submissions', () => {
  const files = [{ path: 'web.yaml', text: 'kind: "Secondary"\n' }];

  test('are accepted, with everything that goes with them', async () => {
    const accepted = await client.submit(
      teamA,
      { files, ifGeneration: 6, deleteEverything: true, deletionsMax: 3 },
      stop.signal,
    );
    expect(accepted).toMatchObject({ status: 'accepted', bundle: { generation: 7 } });
    expect(place.calls).toEqual([
      {
        method: 'submit',
        args: [
          teamA,
          {
            source: 'Apply',
            submitter: 'uid 1000, pid 4242',
            files,
            generation: null,
            ifGeneration: 6,
            deleteEverything: true,
            deletionsMax: 3,
            folder: null,
          },
        ],
      },
    ]);
  });

  test('that are not valid come back with every mistake', async () => {
    const diagnostic = {
      code: 'MissingField' as const,
      file: 'web.yaml',
      line: 1,
      column: 1,
      path: 'spec',
      message: 'missing',
      remedy: null,
      excerpt: 'kind: "Secondary"',
    };
    const diagnostics = [diagnostic];
    place.result = { status: 'refused', code: 'Invalid', message: '1 mistake', diagnostics };
    const refused = await failure(client.submit(teamA, { files }, stop.signal));
    expect(refused).toMatchObject({ code: 'Invalid', diagnostics });
  });

  test('of many megabytes pass, and of more than may be do not', async () => {
    const line = 'a: "quoted"\n';
    const large = [
      { path: 'large.yaml', text: line.repeat(Math.floor((10 * 2 ** 20) / line.length)) },
    ];
    await client.submit(teamA, { files: large }, stop.signal);
    const [call] = place.calls;
    expect(call?.args[1]).toMatchObject({ files: large });
    const twice = [...large, { ...large[0]!, path: 'again.yaml' }];
    expect((await failure(client.submit(teamA, { files: twice }, stop.signal))).code).toMatch(
      /^(TooLarge|BadRequest)$/,
    );
    expect(place.calls).toHaveLength(1);
  });

  test('more than a few at the same time are told to come back', async () => {
    let release = () => {};
    const held = new Promise<null>((done) => {
      release = () => done(null);
    });
    place.result = () => held;
    const waiting = [1, 2, 3, 4].map(() => failure(client.submit(teamA, { files }, stop.signal)));
    await waitFor(() => expect(place.calls).toHaveLength(4));
    expect((await failure(client.submit(teamA, { files }, stop.signal))).code).toBe('TooBusy');
    release();
    await Promise.all(waiting);
    place.result = {
      status: 'refused',
      code: 'Draining',
      message: 'it is being emptied',
      diagnostics: [],
    };
    expect((await failure(client.submit(teamA, { files }, stop.signal))).code).toBe('Draining');
  });

  test('roll back by number', async () => {
    const back = { generation: 5, ifGeneration: 6 };
    expect((await client.rollback(teamA, back, stop.signal)).status).toBe('accepted');
    expect(place.calls).toEqual([
      { method: 'rollback', args: [teamA, back, 'uid 1000, pid 4242'] },
    ]);
  });
});

describe('a stream of statuses', () => {
  test('begins with the one that is, goes on with each change, and ends with its reader', async () => {
    const seen: number[] = [];
    const statuses = await client.statuses(teamA, stop.signal);
    place.set(partitionStatus({ generation: 7 }));
    place.set(partitionStatus({ generation: 8, partition: nobody }));
    place.set(partitionStatus({ generation: 9 }));
    for await (const { generation } of statuses) {
      seen.push(generation);
      if (generation === 9) stop.abort();
    }
    expect(seen).toEqual([6, 7, 9]);
    await waitFor(() => expect(place.listeners()).toBe(0));
  });

  test('ends when the partition is taken away, and when the daemon ends', async () => {
    const first = await client.statuses(teamA, stop.signal);
    place.say({ kind: 'partition-removed', partition: teamA });
    expect(await all(first)).toHaveLength(1);
    const second = await client.statuses(teamA, stop.signal);
    const third = await client.events({ watch: true }, stop.signal);
    await place.close();
    expect(await all(second)).toHaveLength(1);
    expect(await all(third)).toHaveLength(1);
    expect(place.listeners()).toBe(0);
  });

  test('is broken off for a reader that does not read, and is never silently incomplete', async () => {
    const statuses = await client.statuses(teamA, stop.signal);
    await waitFor(() => expect(place.listeners()).toBe(2));
    const digest = 'x'.repeat(2 ** 20);
    let sent = 0;
    // The kernel, this process's own client and the API each hold some of it.
    for (; place.listeners() > 0 && sent < 200; sent += 1) {
      place.set(partitionStatus({ digest, generation: sent }));
      await new Promise((done) => setImmediate(done));
    }
    expect(place.listeners()).toBe(0);
    const seen: number[] = [];
    const broken = await failure(
      (async () => {
        for await (const { generation } of statuses) seen.push(generation);
      })(),
    );
    expect(broken.code).toBe('Broken');
    expect(seen).toEqual([6, ...seen.slice(1).map((_, index) => index)]);
  });
});

describe('events', () => {
  const tell = () => {
    place.say({ kind: 'daemon-started', version: '1' });
    place.say({ kind: 'partition-added', partition: teamA });
    place.say({ kind: 'partition-added', partition: nobody });
  };
  const numbers = async (query: Parameters<DaemonClient['events']>[0]) =>
    (await all(await client.events(query, stop.signal))).map(({ seq }) => seq);

  test('are those that are kept, behind a number, of a partition and of the host', async () => {
    tell();
    expect(await numbers({})).toEqual([1, 2, 3]);
    expect(await numbers({ after: 1 })).toEqual([2, 3]);
    expect(await numbers({ after: 3 })).toEqual([]);
    expect(await numbers({ partition: teamA })).toEqual([1, 2]);
    expect(await numbers({ after: 'latest' })).toEqual([]);
  });

  test('go on without a gap, and from now on if that is asked for', async () => {
    tell();
    const every = await client.events({ after: 1, watch: true }, stop.signal);
    const later = await client.events({ after: 'latest', watch: true }, stop.signal);
    place.say({ kind: 'host-back' });
    expect(await some(every, 3)).toEqual([2, 3, 4]);
    expect(await some(later, 1)).toEqual([4]);
  });

  test('that are gone are not passed over in silence', async () => {
    tell();
    place.forgotten = 2;
    expect((await failure(client.events({ after: 1 }, stop.signal))).code).toBe('EventsGone');
    expect(await numbers({ after: 2 })).toEqual([3]);
    expect((await failure(client.events({ after: 9 }, stop.signal))).message).toContain('anew');
    expect(await numbers({})).toEqual([3]);
  });
});

describe('a daemon that', () => {
  test('does not run', async () => {
    await place.close();
    expect(await failure(client.about(stop.signal))).toMatchObject({ code: 'NotRunning' });
    const elsewhere = daemonClient(unixTransport(`${place.socket}.not-there`));
    expect(await failure(elsewhere.about(stop.signal))).toMatchObject({ code: 'NotRunning' });
  });

  test('has a bug says so, and to its log which one', async () => {
    const bug = new Error('secret details');
    place.answer = () => Promise.reject(bug);
    const error = await failure(client.retry(teamA, stop.signal));
    expect(error.code).toBe('Internal');
    expect(error.message).not.toContain('secret');
    expect(place.bugs).toEqual([bug]);
  });

  test('does not answer in time', async () => {
    place.answer = () => new Promise(() => {});
    const asking = failure(client.retry(teamA, stop.signal));
    await waitFor(() => expect(place.calls).toHaveLength(1));
    place.ring(channelLimits.answerMs);
    expect((await asking).code).toBe('NoAnswer');
  });

  test('is not waited for any longer than somebody wants to', async () => {
    place.answer = () => new Promise(() => {});
    const asking = failure(client.retry(teamA, stop.signal));
    await waitFor(() => expect(place.calls).toHaveLength(1));
    stop.abort();
    expect((await asking).code).toBe('Cancelled');
  });

  test('ends gives the answers that are under way', async () => {
    let release = () => {};
    place.answer = () =>
      new Promise((done) => {
        release = () => done({ status: 'ok', message: 'late' });
      });
    const asking = client.retry(teamA, stop.signal);
    await waitFor(() => expect(place.calls).toHaveLength(1));
    const closed = place.close();
    release();
    expect(await asking).toBe('late');
    await closed;
  });
});

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

async function some(records: AsyncIterable<{ readonly seq: number }>, count: number) {
  const found: number[] = [];
  for await (const { seq } of records) {
    found.push(seq);
    if (found.length === count) break;
  }
  return found;
}
