/** A client and a server of different versions: who is older is said, and what to do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { DaemonError } from '../../../src/channel/daemon-error.ts';
import { apiProblem, type Problem, PROBLEM_TYPE } from '../../../src/channel/problem.ts';
import { teamA } from './fake-control.ts';

const { signal } = new AbortController();
let folder: string;
let socket: string;
let server: Server;
/** What a server of another version says of itself; null: it has no such route either. */
let about: object | null;
/** And of all else. */
let otherwise: Problem | object;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-versions-'));
  socket = join(folder, 'operator.sock');
  about = { version: '0.9.4' };
  otherwise = apiProblem('NotFound', 'there is no such thing');
  server = createServer(({ url }, answer) => {
    const said = (url === '/v1/version' ? about : otherwise) ?? apiProblem('NotFound', 'no');
    const isProblem = 'code' in said;
    const type = isProblem ? PROBLEM_TYPE : 'application/json';
    answer.writeHead(isProblem ? (said as Problem).status : 200, { 'content-type': type });
    answer.end(JSON.stringify(said));
  });
  await new Promise<void>((done) => void server.listen(socket, done));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function failureOf(own: string | null, ask = usage): Promise<DaemonError> {
  const client = daemonClient(unixTransport(socket), { version: own });
  const error: unknown = await ask(client).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DaemonError) return error;
  throw new Error(`no DaemonError: ${String(error)}`);
}
type Client = ReturnType<typeof daemonClient>;
const usage = (client: Client): Promise<unknown> => client.usage(teamA, false, signal);
const stream = (client: Client): Promise<unknown> => client.statuses(teamA, signal);
const order = (client: Client): Promise<unknown> => client.retry(teamA, signal);

describe('a server without a route', () => {
  test.each([
    ['0.10.0', 'unnestd is of version 0.9.4, older than this unnest (0.10.0)', 'on the host'],
    ['0.9.3', 'unnestd is of version 0.9.4, newer than this unnest (0.9.3)', 'upgrade unnest here'],
    ['0.9.4', 'unnestd calls itself 0.9.4 as this unnest does', 'restart both'],
    ['1.0.0-rc.1', 'older than this unnest (1.0.0-rc.1)', 'on the host'],
  ])('is told of to one of version %s', async (own, side, what) => {
    for (const ask of [usage, stream, order]) {
      const { code, message } = await failureOf(own, ask);
      expect(code).toBe('VersionsDiffer');
      expect(message).toContain(side);
      expect(message).toContain(what);
      expect(message).toContain('there is no such thing');
    }
  });

  test('and without version 1 of the API is another server', async () => {
    about = null;
    const { code, message } = await failureOf('0.9.4');
    expect(code).toBe('VersionsDiffer');
    expect(message).toContain('does not speak version 1 of the API');
  });

  test('is taken at its word by who does not know its own version', async () => {
    expect(await failureOf(null)).toMatchObject({ code: 'NotFound' });
  });
});

describe('a server that', () => {
  test('refuses a field that it does not know is older', async () => {
    otherwise = apiProblem('BadRequest', 'the body: Unrecognized key: "new"');
    const { code, message } = await failureOf('1.0.0', order);
    expect(code).toBe('VersionsDiffer');
    expect(message).toContain('Unrecognized key: "new"');
    expect(await failureOf('0.9.4', order)).toMatchObject({ code: 'BadRequest' });
  });

  test('answers in another form is newer', async () => {
    otherwise = { inAnotherForm: true };
    expect((await failureOf('0.9.0', order)).message).toContain('newer than this unnest');
    expect(await failureOf('0.9.4', order)).toMatchObject({ code: 'NotUnderstood' });
  });

  test('refuses for another reason is not told to be of another version', async () => {
    otherwise = apiProblem('TooManyRequests', 'too many');
    expect(await failureOf('1.0.0', order)).toMatchObject({ code: 'TooManyRequests' });
  });
});
