/** The simulated host does what a real one does; test/integration/host holds libvirt to the same. */
import { describeHostContract } from '../../../contract/host-contract.ts';
import { simulatedView } from '../../../../src/host/simulated/host.ts';
import { keepInMemory } from '../../../../src/host/simulated/keeper.ts';
import { partition } from '../../../support/passes.ts';
import { testHost, worldOf } from '../../../support/simulation.ts';

describeHostContract('a simulated host', async () => {
  const world = worldOf({ files: ['vmlinuz', 'initrd.img'] });
  const host = testHost(world);
  return {
    host,
    view: simulatedView({ keeper: keepInMemory(world), clock: host.clock }),
    partition,
    suspend: async ({ uuid }) => {
      const guest = world.domains.get(uuid)?.guest;
      if (guest) guest.state = 'paused';
    },
    dispose: async () => undefined,
  };
});
