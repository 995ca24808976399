/** The simulated host does what a real one does; test/integration/host holds libvirt to the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { virtualClock } from '../../../../src/host/simulated/clock.ts';
import { simulatedHost, simulatedView } from '../../../../src/host/simulated/host.ts';
import { keepInMemory, type Keeper } from '../../../../src/host/simulated/keeper.ts';
import { keepInFile } from '../../../../src/host/simulated/world-file.ts';
import { describeHostContract, type Subject } from '../../../contract/host-contract.ts';
import { partition } from '../../../support/passes.ts';
import { worldOf } from '../../../support/simulation.ts';

function subjectOf(keeper: Keeper, dispose: () => void): Subject {
  const options = { keeper, clock: virtualClock() };
  return {
    host: simulatedHost(options),
    view: simulatedView(options),
    partition,
    suspend: ({ uuid }) =>
      keeper.change((world) => {
        const guest = world.domains.get(uuid)?.guest;
        if (guest) guest.state = 'paused';
      }, null),
    dispose: async () => dispose(),
  };
}

const files = ['vmlinuz', 'initrd.img'];

describeHostContract('a simulated host in memory', async () =>
  subjectOf(keepInMemory(worldOf({ files })), () => undefined),
);

describeHostContract('a simulated host in a file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-sim-'));
  const keeper = keepInFile(join(dir, 'host.json'));
  await keeper.change((world) => Object.assign(world, { files: worldOf({ files }).files }), null);
  return subjectOf(keeper, () => rmSync(dir, { recursive: true }));
});
