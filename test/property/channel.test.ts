/**
 * Any bytes on the channel: nothing breaks, nothing is asked of another partition, and whoever asks properly
 * after that is answered. Requests that are nearly right get further than noise, so most are made of pieces.
 */
import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { makeApiServer } from '../../src/channel/api-server.ts';
import { primaryLimits } from '../../src/channel/limits.ts';
import { primaryScope } from '../../src/channel/scope.ts';
import { fakeControl, teamA } from '../unit/channel/fake-control.ts';
import { callerOn, settled } from '../support/virtual-caller.ts';
import { virtualRuntime } from '../support/virtual-runtime.ts';
import { runs, soakMs } from './arbitraries.ts';

const routes = [
  '/v1/version',
  '/v1/partition',
  '/v1/partition/status?watch=1',
  '/v1/partition/desired',
  '/v1/partition/plan',
  '/v1/partition/history',
  '/v1/partition/events?after=0&watch=true',
  '/v1/partition/agent',
  '/v1/partition/agent/beat',
  '/v1/partition/retry',
  '/v1/partition/rollback',
  '/v1/partition/secondaries/web/stop',
  '/v1/partition/secondaries/web/console',
  '/v1/partitions/team-b/desired',
  '/v1/partition/..%2f..%2fpartitions/team-b',
  '//v1/partition',
  '*',
  'http://team-b/v1/partition',
];
const bodies = [
  '',
  '{}',
  '{"files":[]}',
  '{"files":[{"path":"a.yaml","text":"kind: Secondary"}],"partition":"team-b"}',
  '{"generation":1}',
  '{"__proto__":{"partition":"team-b"},"files":[]}',
  `{"files":${'['.repeat(2000)}`,
  '\u0000\ufffd{',
];
const eol = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '');

const header = fc.oneof(
  fc.constantFrom(
    'host: x',
    'connection: keep-alive',
    'connection: close',
    'connection: upgrade',
    'upgrade: h2c',
    'expect: 100-continue',
    'transfer-encoding: chunked',
    'transfer-encoding: gzip, chunked',
    'content-type: application/json',
    'content-type: text/plain',
    'content-length: 0',
    'content-length: 2',
    'content-length: 99999999',
    'content-length: -1',
    'x-forwarded-for: team-b',
  ),
  fc.string({ maxLength: 40 }),
);

/** One that may be right, with its own length, or with a wrong one. */
const request = fc
  .record({
    method: fc.constantFrom(
      'GET',
      'GET',
      'PUT',
      'POST',
      'HEAD',
      'OPTIONS',
      'DELETE',
      'CONNECT',
      'BREW',
    ),
    path: fc.oneof(fc.constantFrom(...routes), fc.webPath(), fc.string({ maxLength: 60 })),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
    headers: fc.array(header, { maxLength: 6 }),
    body: fc.oneof(fc.constantFrom(...bodies), fc.json(), fc.string({ maxLength: 100 })),
    isHonest: fc.boolean(),
    end: eol,
  })
  .map(({ method, path, version, headers, body, isHonest, end }) => {
    const length = `content-length: ${Buffer.byteLength(body)}`;
    const honest = ['host: x', 'content-type: application/json', length];
    const lines = [`${method} ${path} ${version}`, ...(isHonest ? honest : []), ...headers];
    return Buffer.from(`${lines.join(end)}${end}${end}${body}`);
  });

/** Right in its form, whatever it asks. */
const proper = fc
  .record({
    method: fc.constantFrom('GET', 'PUT', 'POST'),
    path: fc.constantFrom(...routes),
    body: fc.constantFrom(...bodies),
  })
  .map(({ method, path, body }) => {
    const length = `content-length: ${Buffer.byteLength(body)}`;
    const head = [
      `${method} ${path} HTTP/1.1`,
      'host: x',
      'content-type: application/json',
      length,
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  });

const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const said = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: proper },
    { weight: 3, arbitrary: request },
    { weight: 1, arbitrary: noise },
  ),
  {
    minLength: 1,
    maxLength: 6,
  },
);

test(
  'whatever a guest says, it speaks for its own partition, and nothing breaks',
  async () => {
    const runtime = virtualRuntime();
    const fake = fakeControl();
    const bugs: unknown[] = [];
    let seen = 0;
    const api = await makeApiServer({
      control: fake.control,
      runtime,
      scope: primaryScope(teamA),
      limits: { ...primaryLimits, rate: null, workRate: null },
      onBug: (error) => bugs.push(error),
    });
    onTestFinished(async () => {
      const closing = api.close();
      // What is still under way has so long.
      await runtime.advance(10_000);
      await closing;
    });
    const connected = () => {
      const [ours, theirs] = duplexPair();
      api.take(theirs, { words: 'Primary vm, CID 7', party: 'it' });
      theirs.once('close', () => setImmediate(() => ours.destroy()));
      ours.once('close', () => theirs.destroy());
      return callerOn(ours);
    };
    await fc.assert(
      fc.asyncProperty(
        said,
        fc.boolean(),
        fc.integer({ min: 1, max: 64 }),
        async (parts, ends, cut) => {
          const hostile = connected();
          const bytes = Buffer.concat(parts);
          // As it comes: in pieces of any length.
          for (let at = 0; at < bytes.length; at += cut * 16) {
            if (!hostile.stream.destroyed) hostile.stream.write(bytes.subarray(at, at + cut * 16));
            await new Promise((done) => setImmediate(done));
          }
          if (ends) hostile.stream.end();
          await settled();
          expect(bugs).toEqual([]);
          for (const { args } of fake.calls.slice(seen)) expect(args[0]).toBe('team-a');
          seen = fake.calls.length;
          // What it was told is told of itself: HTTP, and nothing of another partition.
          expect(hostile.heard()).not.toContain('"partition":"team-b"');
          const honest = connected();
          expect(await honest.ask('GET', '/v1/partition')).toMatch(/^HTTP\/1\.1 200 /);
          honest.stream.destroy();
          hostile.stream.destroy();
          // Bodies that never come are waited for no longer than this.
          await runtime.advance(200_000);
          await settled();
        },
      ),
      runs(150),
    );
    expect(fake.calls.length).toBeGreaterThan(0);
  },
  soakMs,
);
