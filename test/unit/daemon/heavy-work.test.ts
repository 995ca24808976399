/** What moves bytes takes one of the host's few slots; the image disk, which its guest waits for, only one that is free. */
import { expect, test } from 'vitest';
import { slots } from '../../../src/daemon/slots.ts';
import { withHeavySlots } from '../../../src/daemon/heavy-work.ts';
import { installation, partition } from '../../support/passes.ts';
import { testHost, worldOf } from '../../support/simulation.ts';

const owner = { installation, partition };
const work = { sizeBytes: 2 ** 24, given: [], removed: [] };
const { signal } = new AbortController();

test('the image disk is worked on in a slot that is free, or another time', async () => {
  const all = slots(1);
  const inner = testHost(worldOf({ recorded: true }));
  const host = withHeavySlots(inner, all);
  const others = await all.take(signal);
  await expect(host.imageDisks.rework(owner, work, signal)).rejects.toMatchObject({
    code: 'Timeout',
    retryable: true,
  });
  expect(inner.writes).toEqual([]);
  others?.();
  await expect(host.imageDisks.rework(owner, work, signal)).rejects.toThrow(
    'reworking the image disk',
  );
  // What has failed has given its slot back.
  expect(all.takeFree()).not.toBeNull();
});
