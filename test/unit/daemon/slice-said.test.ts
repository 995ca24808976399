/** What a daemon says of a slice over several looks, and that it says it once. */
import { expect, test } from 'vitest';
import type { DaemonHosts, Host } from '../../../src/host/ports.ts';
import { present } from '../../../src/model/observation.ts';
import type { SliceUsage } from '../../../src/model/slice.ts';
import { partition } from '../../support/passes.ts';
import {
  descriptionOf,
  secondaryNamed,
  secondaryText,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';

type Counts = { -readonly [K in keyof SliceUsage]: SliceUsage[K] };

async function limited() {
  const daemon = virtualDaemon({ partitions: [] });
  const counts: Partial<Counts> = {};
  const hosts: { host: DaemonHosts['host'] } = daemon.hosts;
  const whole = hosts.host.bind(hosts);
  const counted = ({ slices, ...host }: Host): Host => ({
    ...host,
    slices: {
      ...slices,
      find: async (ref, signal) => {
        const seen = await slices.find(ref, signal);
        if (seen.status !== 'present') return seen;
        return present({ ...seen.value, usage: { ...seen.value.usage, ...counts } });
      },
    },
  });
  hosts.host = (name) => counted(whole(name));
  const limits = { vcpus: 1, memory: '1GiB', storage: '1GiB', secondaries: 1 };
  daemon.supervisor.describe(new Map([descriptionOf(partition, { source: 'Apply', limits })]));
  await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Always' } }));
  await daemon.advance(5000);
  return { daemon, counts };
}

test('guests that are held back, without another status at each look', async () => {
  const { daemon, counts } = await limited();
  Object.assign(counts, { periods: 3000, throttledPeriods: 2000, memoryPressure: 12 });
  await daemon.advance(310_000);
  expect(daemon.condition('CpuThrottled')).toMatch(/^True CpuLimit/);
  expect(daemon.supervisor.slices).toMatchObject([{ partition, usage: { memoryPressure: 12 } }]);
  const { since } = daemon.status().conditions.find(({ type }) => type === 'CpuThrottled') ?? {};
  const before = JSON.stringify(daemon.status().conditions);
  Object.assign(counts, { periods: 6000, throttledPeriods: 3700, memoryPressure: 31 });
  await daemon.advance(310_000);
  expect(JSON.stringify(daemon.status().conditions)).toBe(before);
  Object.assign(counts, { periods: 9000, throttledPeriods: 3700 });
  await daemon.advance(310_000);
  expect(since).toBeDefined();
  expect(daemon.condition('CpuThrottled')).toBe('unsaid');
});

test('who has crashed when the kernel has killed, also after it runs again', async () => {
  const { daemon, counts } = await limited();
  const guest = [...daemon.world.domains.values()].find(({ domainName }) =>
    domainName.endsWith(`.${secondaryNamed('web')}`),
  );
  if (guest === undefined) throw new Error('it was not made');
  guest.guest = null;
  guest.stopReason = 'crashed';
  counts.oomKills = 1;
  daemon.supervisor.wakeAll('request');
  await daemon.advance(30_000);
  expect(daemon.words('web')).toMatch(/^Running/);
  expect(daemon.condition('OomKilled')).toMatch(/with the last of it web crashed$/);
});
