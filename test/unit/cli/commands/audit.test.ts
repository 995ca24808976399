/** What `unnest audit` prints of what unnestd has written down. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonClient } from '../../../../src/channel/client.ts';
import { unixTransport } from '../../../../src/channel/client-transport.ts';
import { type ApiPlace, apiPlace } from '../../channel/api-place.ts';
import { run as runCommand } from '../run.ts';

let place: ApiPlace;
beforeEach(async () => {
  place = await apiPlace();
});
afterEach(() => place.dispose());

const run = (...argv: readonly string[]) =>
  runCommand(['audit', ...argv], {
    findDaemon: async () => daemonClient(unixTransport(place.socket)),
  });

test('is nothing yet, then a row for each request', async () => {
  expect(await run()).toMatchObject({ code: 0, stdout: 'Nothing was asked for yet.\n' });
  const client = daemonClient(unixTransport(place.socket));
  const { signal } = new AbortController();
  await client.retry('team-a' as never, signal);
  await expect(client.retry('team-z' as never, signal)).rejects.toMatchObject({
    code: 'NoPartition',
  });
  const { stdout } = await run();
  expect(stdout).toMatch(/^AT +PARTITION +REQUEST +OUTCOME +GENERATION +BY$/m);
  expect(stdout).toMatch(/ team-a +POST retry +ok +- +uid 1000, pid 4242$/m);
  expect(stdout).toMatch(/ team-z +POST retry +NoPartition /m);
  const lines = (await run('-o', 'json')).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { request: 'POST retry', outcome: 'ok', from: 'operator' },
    { outcome: 'NoPartition' },
  ]);
});
