/** What is done to the image disk is done one after the other, each with its look at who has it. */
import { expect, test } from 'vitest';
import type { Workbench } from '../../../src/execute/executors.ts';
import { lendImageDisk, reworkImageDisk } from '../../../src/execute/image-disk.ts';
import type { DomainRef } from '../../../src/model/domain.ts';
import { operationId, type OperationOf } from '../../../src/plan/operation.ts';
import { installation, partition } from '../../support/passes.ts';
import { simulatedPrimary, testHost, worldOf } from '../../support/simulation.ts';

const MiB = 2 ** 20;
const us = { installation, partition };

test('one that is lent is not worked on in the same moment', async () => {
  const world = worldOf({ recorded: true, primaries: { vm: simulatedPrimary() } });
  const { uuid } = world.primaries.get('vm') ?? {};
  const primary = { uuid, domainName: 'vm' } as DomainRef;
  world.imageDisks.set(partition, {
    owner: us,
    state: 'ready',
    sizeBytes: 64 * MiB,
    heldBytes: 64 * MiB,
    given: [],
    takenOut: [],
    lentTo: primary,
  });
  // The one is under way while the other looks.
  const host = testHost(world, {
    latency: ({ name }) =>
      new Promise((done) => setTimeout(done, name === 'primaries.lend' ? 30 : 0)),
  });
  const { signal } = new AbortController();
  const seedContents = new Map();
  const bench: Workbench = { host, owner: null, us, seedContents, now: () => 0, signal };
  const common = { after: [], phase: 'acquire', resource: null } as const;
  const lend: OperationOf<'primary.lend-image-disk'> = {
    ...common,
    kind: 'primary.lend-image-disk',
    id: operationId('primary.lend-image-disk', partition),
    primary,
  };
  const rework: OperationOf<'image-disk.rework'> = {
    ...common,
    kind: 'image-disk.rework',
    id: operationId('image-disk.rework', partition),
    work: { sizeBytes: 32 * MiB, given: [], removed: [] },
  };
  const [lent, worked] = await Promise.allSettled([
    lendImageDisk(lend, bench),
    reworkImageDisk(rework, bench),
  ]);
  expect(lent).toEqual({ status: 'fulfilled', value: 'applied' });
  expect(worked).toMatchObject({ reason: { message: 'vm still has the image disk' } });
  expect(host.writes.map((write) => write.split(' ')[0])).toEqual(['primaries.lend']);
});
