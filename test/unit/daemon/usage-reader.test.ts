/** What a partition uses just now, asked of a whole daemon on a simulated host. */
import { describe, expect, test } from 'vitest';
import { partition } from '../../support/passes.ts';
import {
  descriptionOf,
  secondaryText,
  virtualDaemon,
  type VirtualDaemonOptions,
} from '../../support/virtual-daemon.ts';

const limits = { vcpus: 1, memory: '1GiB', storage: '1GiB', secondaries: 1 };

async function running(options: VirtualDaemonOptions = {}) {
  const daemon = virtualDaemon({ partitions: [], ...options });
  daemon.supervisor.describe(new Map([descriptionOf(partition, { source: 'Apply', limits })]));
  await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Always' } }));
  await daemon.advance(5000);
  return daemon;
}

const looks = ({
  hosts,
}: {
  readonly hosts: { readonly faults: { readonly calls: readonly { readonly name: string }[] } };
}) => hosts.faults.calls.filter(({ name }) => name === 'usage').length;

describe('what a partition uses', () => {
  test('is what its host counts, of its slice and of each that runs', async () => {
    const { control, world } = await running();
    const sample = await control.usage(partition, true);
    expect(sample).toMatchObject({
      slice: { memoryBytes: expect.any(Number), processes: expect.any(Number) },
      secondaries: [{ name: 'web', cpuUs: expect.any(Number) }],
    });
    expect(sample?.slice?.memoryBytes).toBeGreaterThan(0);
    for (const domain of world.domains.values()) domain.guest = null;
    expect(await control.usage(partition, true)).toMatchObject({ secondaries: [] });
  });

  test('is looked up for whoever asks meanwhile at once', async () => {
    const daemon = await running();
    const before = looks(daemon);
    await Promise.all(Array.from({ length: 100 }, () => daemon.control.usage(partition, true)));
    expect(looks(daemon) - before).toBe(1);
    await daemon.control.usage(partition, true);
    expect(looks(daemon) - before).toBe(2);
  });

  test('is nothing where the host does not answer, and asks for no Secondary that nobody wants', async () => {
    const fails = { now: false };
    const daemon = await running({
      rules: [() => (fails.now ? { kind: 'error', error: new Error('gone') } : null)],
    });
    const before = looks(daemon);
    expect(await daemon.control.usage(partition, false)).toMatchObject({ secondaries: null });
    expect(looks(daemon)).toBe(before);
    fails.now = true;
    const sample = await daemon.control.usage(partition, true);
    expect(sample).toMatchObject({ slice: null, secondaries: null });
  });
});
