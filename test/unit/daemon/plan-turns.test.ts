/** A plan looks at the host as a pass does: it takes turns with them, and leaves nothing behind. */
import { expect, test } from 'vitest';
import type { PartitionName } from '../../../src/model/names.ts';
import { partition } from '../../support/passes.ts';
import { secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';

const others = ['other', 'third'] as PartitionName[];

test('a plan waits while as many look at the host as may', async () => {
  const runtime = virtualRuntime();
  let open = () => {};
  let gate = Promise.resolve();
  const daemon = virtualDaemon({
    runtime,
    partitions: [partition, ...others],
    latency: () => gate,
  });
  // So that they are open.
  await daemon.runtime.settle();
  const files = [{ path: 'web.yaml', text: secondaryText('web') }];
  const nothing = { generation: null, ifGeneration: null, deletionsMax: null, folder: null };
  const by = { source: 'Apply', submitter: 'uid 0', deleteEverything: false } as const;
  for (const name of [partition, ...others]) {
    await daemon.control.submit(name, { ...by, ...nothing, files });
  }
  await daemon.advance(10_000);
  gate = new Promise((done) => (open = done));
  // Both turns are taken: passes of these two look, and look no further.
  for (const name of others) await daemon.control.retry(name, 'uid 0');
  await daemon.advance(100);
  const { calls } = daemon.hosts.faults;
  const { length } = calls;
  const given = { files, deleteEverything: false, deletionsMax: null };
  let isPlanned = false;
  const planning = daemon.control.plan(partition, given).then((planned) => {
    isPlanned = true;
    return planned;
  });
  await daemon.advance(1000);
  expect(calls.slice(length)).toEqual([]);
  expect(isPlanned).toBe(false);
  open();
  gate = Promise.resolve();
  await daemon.advance(10_000);
  expect(await planning).toMatchObject({ status: 'planned' });
});
