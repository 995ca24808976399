/** What was accepted is in force: whoever leaves then is told that work goes on, whenever that is. */
import { expect, test } from 'vitest';
import type { DaemonClient } from '../../../src/channel/client.ts';
import { DaemonError } from '../../../src/channel/daemon-error.ts';
import { follow } from '../../../src/cli/follow.ts';
import { teamA } from '../channel/fake-control.ts';

const following = {
  partition: teamA,
  generation: 7,
  after: null,
  onEvent: () => undefined,
  onNow: () => undefined,
};
const none = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
};
const refusing = (code: DaemonError['code']) =>
  ({ statuses: () => Promise.reject(new DaemonError(code, 'no')) }) as unknown as DaemonClient;

test('also before a status has come', async () => {
  expect(await follow(refusing('Cancelled'), none, following, AbortSignal.abort())).toEqual({
    status: 'left',
    now: 'unnestd is at work on it',
  });
});

test.each([
  ['Cancelled', new AbortController().signal],
  ['Broken', AbortSignal.abort()],
] as const)('%s for another reason is what it is', async (code, stop) => {
  await expect(follow(refusing(code), none, following, stop)).rejects.toMatchObject({ code });
});
