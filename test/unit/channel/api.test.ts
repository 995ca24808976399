/** What the API makes of what no client of ours would send. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { channelLimits, operatorLimits } from '../../../src/channel/limits.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { teamA } from './fake-control.ts';
import { waitFor } from '../../support/wait-for.ts';

let place: ApiPlace;
beforeEach(async () => {
  place = await apiPlace();
});
afterEach(() => place.dispose());

const at = `/v1/partitions/${teamA}`;

function request(method: string, path: string, body?: string, headers: readonly string[] = []) {
  const type = headers.length > 0 ? headers : ['content-type: application/json'];
  const more = body === undefined ? [] : [...type, `content-length: ${Buffer.byteLength(body)}`];
  return `${[`${method} ${path} HTTP/1.1`, 'host: x', ...more].join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** One request on a connection that closes after it. */
async function asked(method: string, path: string, body?: string, headers?: readonly string[]) {
  const text = request(method, path, body, headers).replace(
    'host: x',
    'host: x\r\nconnection: close',
  );
  return answerIn(await place.raw(text));
}

function answerIn(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    type: /content-type: ([^;\r\n]*)/i.exec(head)?.[1],
    problem: JSON.parse(body || 'null') as Record<string, unknown> | null,
  };
}

describe('what is refused, and how', () => {
  const typing = `${at}/secondaries/web/console`;
  const tooMuchTyped = JSON.stringify({
    reader: '1-x',
    data: Buffer.alloc(channelLimits.typedBytesMax + 3).toString('base64'),
  });

  test.each([
    ['GET', '/v1/nothing', undefined, 404, 'NotFound'],
    ['DELETE', at, undefined, 404, 'NotFound'],
    ['GET', '/v1/partitions/Team_A', undefined, 400, 'BadRequest'],
    ['GET', `/v1/partitions/${'a'.repeat(200)}`, undefined, 400, 'BadRequest'],
    ['GET', '/v1/partitions/..%2f..%2fetc', undefined, 400, 'BadRequest'],
    ['GET', `${at}?watch=1`, undefined, 400, 'BadRequest'],
    ['GET', `${at}/status?watch=maybe`, undefined, 400, 'BadRequest'],
    ['GET', '/v1/events?after=-1', undefined, 400, 'BadRequest'],
    ['GET', '/v1/events?after=1e3', undefined, 400, 'BadRequest'],
    ['GET', '/v1/events?__proto__=1', undefined, 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '{"files":[],"source":"Directory"}', 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '{"files":[],"submitter":"uid 0"}', 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '{"files":"all"}', 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '{"files":[],"deletionsMax":-1}', 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '{"files":[', 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '{"files":[],"__proto__":{"x":1}}', 400, 'BadRequest'],
    ['PUT', `${at}/desired`, '', 400, 'BadRequest'],
    ['POST', `${at}/pause`, '{}', 400, 'BadRequest'],
    ['POST', `${at}/pause`, '{"reason":"x","secondary":"../web"}', 400, 'BadRequest'],
    ['POST', `${at}/pause`, '{"reason":"x","expiresAt":"tomorrow"}', 400, 'BadRequest'],
    ['POST', `${at}/retry`, '{"all":true}', 400, 'BadRequest'],
    ['POST', `${at}/secondaries/web/explode`, '{}', 404, 'NotFound'],
    ['POST', `${at}/secondaries/.web/stop`, '{}', 400, 'BadRequest'],
    ['GET', `${at}/images/../x`, undefined, 404, 'NotFound'],
    ['GET', `${at}/images/Debian`, undefined, 400, 'BadRequest'],
    ['PUT', `${at}/images/debian/bytes?at=0`, '{}', 400, 'BadRequest'],
    ['POST', `${at}/images/debian/written`, '{"really":true}', 400, 'BadRequest'],
    ['POST', `${typing}/writer`, '{"reader":"../x"}', 400, 'BadRequest'],
    ['POST', `${typing}/input`, '{"reader":"1-x","data":""}', 400, 'BadRequest'],
    ['POST', `${typing}/input`, '{"reader":"1-x","data":"ls -l"}', 400, 'BadRequest'],
    ['POST', `${typing}/input`, tooMuchTyped, 400, 'BadRequest'],
    ['POST', `${at}/rollback`, '{"generation":0}', 400, 'BadRequest'],
    ['POST', `${at}/drain`, '{}', 400, 'BadRequest'],
    ['POST', `${at}/drain`, '{"confirm":"team-b"}', 422, 'NotConfirmed'],
  ])('%s %s %s', async (method, path, body, status, code) => {
    const answer = await asked(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe('application/problem+json');
    expect(answer.problem).toMatchObject({ code, status, type: `urn:unnest:problem:${code}` });
    expect(place.calls).toEqual([]);
    expect(place.bugs).toEqual([]);
  });

  test('a form, as a page in a browser could send it', async () => {
    const form = ['content-type: text/plain'];
    const answer = await asked('POST', `${at}/drain`, '{"confirm":"team-a"}', form);
    expect(answer).toMatchObject({ status: 415, problem: { code: 'UnsupportedMediaType' } });
    expect(place.calls).toEqual([]);
  });

  test('a body that says that it is larger than may be, before it has come', async () => {
    const head = request('PUT', `${at}/desired`, '').replace(
      'content-length: 0',
      `content-length: ${operatorLimits.bodyBytesMax + 1}`,
    );
    const answer = answerIn(await place.raw(head, { end: true }));
    expect(answer).toMatchObject({ status: 413, problem: { code: 'TooLarge' } });
  });

  test.each([
    ['what is not HTTP', 'HELLO unnest\r\n\r\n'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nx: ${'y'.repeat(channelLimits.headerBytesMax)}\r\n\r\n`,
    ],
    ['two lengths', 'PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
  ])('%s', async (_what, text) => {
    const answer = answerIn(await place.raw(text));
    expect(answer).toMatchObject({ status: 400, problem: { code: 'BadRequest' } });
  });
});

describe('connections', () => {
  const version = request('GET', '/v1/version');

  test('are kept for another request, also when both have come at once', async () => {
    const text = await place.raw(
      version + version.replace('host: x', 'host: x\r\nconnection: close'),
    );
    expect(text.match(/"version":"1\.2\.3"/g)).toHaveLength(2);
  });

  test('that the client closes its half of are still answered', async () => {
    expect(await place.raw(version, { end: true })).toContain('"version":"1.2.3"');
  });

  test('that say nothing, or stop in the middle, are ended', async () => {
    const headers = request('PUT', `${at}/desired`, '{"files":[]}').slice(0, -5);
    const kinds = ['', 'GET /v1/ver', headers, version];
    const ended = kinds.map((text) => place.raw(text));
    await waitFor(async () => {
      place.ring(channelLimits.idleMs);
      const left = await Promise.race([Promise.all(ended), tick()]);
      expect(left).not.toBe('waiting');
    });
    const texts = await Promise.all(ended);
    expect(texts.map((text) => text.slice(0, 12))).toEqual(['', '', '', 'HTTP/1.1 200']);
    expect(place.calls).toEqual([]);
  });

  test('of a stream are not, however long nothing happens', async () => {
    const socket = await connected(place.socket);
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.write(request('GET', `${at}/status?watch=1`));
    await waitFor(() => expect(text).toContain('"generation":6'));
    place.ring(channelLimits.answerMs);
    place.say({ kind: 'host-back' });
    place.set({ ...place.control.status(teamA)!, generation: 7 });
    await waitFor(() => expect(text).toContain('"generation":7'));
    socket.destroy();
    await waitFor(() => expect(place.listeners()).toBe(0));
  });
});

test('whoever the kernel says nothing of is nobody in particular', async () => {
  const other = await apiPlace(() => null);
  const text = request('POST', `${at}/retry`, '{}').replace(
    'host: x',
    'host: x\r\nconnection: close',
  );
  await other.raw(text.replace('host: x', 'x-forwarded-for: uid 0\r\nhost: x'));
  expect(other.calls).toEqual([{ method: 'retry', args: [teamA, 'unknown uid'] }]);
  await other.dispose();
});

test('nobody asks for the headers of a stream', async () => {
  expect((await asked('HEAD', '/v1/events?watch=1')).status).toBe(404);
});

test('the metrics of a partition are given as Prometheus takes them', async () => {
  const text = await place.raw(
    request('GET', `${at}/metrics`).replace('host: x', 'host: x\r\nconnection: close'),
  );
  expect(text).toMatch(/^HTTP\/1.1 200/);
  expect(text).toMatch(/content-type: text\/plain; version=0\.0\.4/);
  expect(text.split('\r\n\r\n')[1]).toBe('unnest_partition_generation{partition="team-a"} 6\n');
  expect((await asked('GET', '/v1/partitions/nobody/metrics')).problem).toMatchObject({
    code: 'NoPartition',
  });
});

test('an order needs no body', async () => {
  expect((await asked('POST', `${at}/retry`)).status).toBe(200);
  expect((await asked('POST', `${at}/secondaries/web/stop`)).status).toBe(200);
});

function connected(path: string): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect(path, () => done(socket));
    socket.on('error', fail);
  });
}

const tick = () => new Promise<'waiting'>((done) => setTimeout(() => done('waiting'), 20));
