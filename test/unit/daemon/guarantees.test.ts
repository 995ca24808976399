/** What a partition is guaranteed is kept from all others, in a whole daemon on a virtual clock. */
import { describe, expect, test } from 'vitest';
import { slicePath } from '../../../src/model/identity.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import type { SliceFields } from '../../../src/model/slice.ts';
import { installation } from '../../support/passes.ts';
import { worldOf } from '../../support/simulation.ts';
import {
  descriptionOf,
  secondaryText,
  submitted,
  virtualDaemon,
  type VirtualDaemon,
} from '../../support/virtual-daemon.ts';

const teamA = 'team-a' as PartitionName;
const teamB = 'team-b' as PartitionName;

/** On a host of 4 CPUs. @param guaranteed to team-a */
async function daemonWith(guaranteed: object | null): Promise<VirtualDaemon> {
  const world = worldOf({ files: ['vmlinuz'] });
  world.size = { cpus: 4, memoryBytes: 64 * 2 ** 30 };
  world.files.set(teamB, new Map(world.files.get(teamA)));
  const daemon = virtualDaemon({ partitions: [], world });
  describeWith(daemon, guaranteed);
  await daemon.runtime.settle();
  for (const name of [teamA, teamB]) {
    await daemon.control.submit(name, submitted(secondaryText('web')));
  }
  await daemon.advance(2000);
  return daemon;
}

function describeWith({ supervisor }: VirtualDaemon, guarantees: object | null): void {
  const limits = { vcpus: 2, memory: '1GiB', storage: '1GiB', secondaries: 2 };
  const a = guarantees === null ? { limits } : { limits, guarantees };
  supervisor.describe(
    new Map([
      descriptionOf(teamA, { source: 'Apply', ...a }),
      descriptionOf(teamB, { source: 'Apply', limits }),
    ]),
  );
}

function sliceOf({ world }: VirtualDaemon, name: PartitionName): SliceFields | undefined {
  return world.slices.get(slicePath({ installation, partition: name }));
}

describe('CPUs that one partition has for itself', () => {
  test('are those of its slice, and of no other one', async () => {
    const daemon = await daemonWith({ cpuset: '1,2' });
    expect(sliceOf(daemon, teamA)?.cpuset).toBe('1-2');
    expect(sliceOf(daemon, teamB)?.cpuset).toBe('0,3');
  });

  test('are taken from others as they run, and given back', async () => {
    const daemon = await daemonWith(null);
    expect([sliceOf(daemon, teamA)?.cpuset, sliceOf(daemon, teamB)?.cpuset]).toEqual([null, null]);
    describeWith(daemon, { cpuset: '3' });
    await daemon.advance(2000);
    expect([sliceOf(daemon, teamA)?.cpuset, sliceOf(daemon, teamB)?.cpuset]).toEqual(['3', '0-2']);
    describeWith(daemon, null);
    await daemon.advance(2000);
    expect([sliceOf(daemon, teamA)?.cpuset, sliceOf(daemon, teamB)?.cpuset]).toEqual([null, null]);
  });
});

test('memory that nobody else can press out, and CPUs by weight, are those of the slice', async () => {
  const daemon = await daemonWith({ memory: '512MiB' });
  expect(sliceOf(daemon, teamA)).toMatchObject({ memoryMinBytes: 512 * 2 ** 20, cpuWeight: 2 });
  expect(sliceOf(daemon, teamB)).toMatchObject({ memoryMinBytes: null, cpuWeight: 2 });
});
