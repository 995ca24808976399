/** A look that other orders have broken off has seen nothing, and nothing is said of it. */
import { expect, test } from 'vitest';
import { partition } from '../../support/passes.ts';
import { secondaryNamed, secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';

test('an order in the middle of a look is not taken for a host that is away', async () => {
  let isSlow = false;
  const never = new AbortController().signal;
  const daemon = virtualDaemon({
    latency: async ({ name }) => {
      if (isSlow && name === 'list') await daemon.runtime.timers.sleep(500, never);
    },
  });
  await daemon.submit(secondaryText('web'));
  await daemon.advance(1000);
  isSlow = true;
  const said = daemon.statuses.length;
  await daemon.control.retry(partition, 'uid 0');
  await daemon.advance(100);
  const hold = { secondary: secondaryNamed('web'), reason: 'r', submitter: 'u', expiresAt: null };
  await daemon.control.pause(partition, hold);
  await daemon.advance(10_000);
  const since = daemon.statuses.slice(said);
  const words = since.flatMap(({ conditions }) =>
    conditions.filter(({ type }) => type === 'HostReachable').map(({ status }) => status),
  );
  expect(new Set(words)).toEqual(new Set(['True']));
  expect(daemon.condition('Paused', 'web')).toMatch(/^True Held/);
});
