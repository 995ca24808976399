/** The simulated host for a daemon is as the real one is; and it says what its guests do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { virtualClock } from '../../../../src/host/simulated/clock.ts';
import { simulatedHosts } from '../../../../src/host/simulated/daemon-hosts.ts';
import { keepInMemory, type Keeper } from '../../../../src/host/simulated/keeper.ts';
import type { World } from '../../../../src/host/simulated/world.ts';
import { keepInFile } from '../../../../src/host/simulated/world-file.ts';
import type { HostSign } from '../../../../src/host/ports.ts';
import { fieldsOf } from '../../../../src/model/domain.ts';
import { describeDaemonHostsContract } from '../../../contract/daemon-hosts-contract.ts';
import { partition, secondary } from '../../../support/passes.ts';
import { domainOf, refOf, worldOf } from '../../../support/simulation.ts';

describeDaemonHostsContract('a simulated host', async () => {
  const hosts = simulatedHosts({ keeper: keepInMemory(worldOf({})), clock: virtualClock() });
  return {
    hosts,
    lose: async () => hosts.lose('the test says so'),
    restore: async () => hosts.restore(),
    dispose: () => hosts.close(),
  };
});

const never = new AbortController().signal;

const keepers: Readonly<Record<string, (world: World) => Promise<Keeper>>> = {
  memory: async (world) => keepInMemory(world),
  'a file': async (world) => {
    const dir = mkdtempSync(join(tmpdir(), 'unnest-sim-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const keeper = keepInFile(join(dir, 'host.json'));
    await keeper.change((empty) => void Object.assign(empty, world), null);
    return keeper;
  },
};

test.each(Object.keys(keepers))(
  'of a world in %s: a guest that ends by itself gives a sign, once, as soon as somebody looks',
  async (where) => {
    const boot = { kind: 'kernel', kernel: 'vmlinuz', initrd: null } as const;
    const commandLine = 'unnest.do=poweroff@5 unnest.do=agent';
    const web = secondary('web', {
      guestAgent: true,
      boot: { ...boot, commandLine } as ReturnType<typeof secondary>['boot'],
    });
    const stopped = { status: 'stopped', reason: 'unknown' } as const;
    const domains = [domainOf('web', { power: stopped, defined: fieldsOf(web) })];
    const clock = virtualClock();
    const keeper = await keepers[where]?.(worldOf({ domains }));
    if (keeper === undefined) throw new Error(`no keeper in ${where}`);
    const hosts = simulatedHosts({ keeper, clock });
    const signs: HostSign[] = [];
    hosts.onSign((sign) => signs.push(sign));
    const { domains: port } = hosts.host(partition);
    await port.start(refOf('web'), never);
    clock.advance(1000);
    await port.list(never);
    await port.list(never);
    clock.advance(5000);
    await port.list(never);
    await port.list(never);
    expect(signs).toEqual(
      ['started', 'agent', 'stopped'].map((event) => ({ kind: 'domain', ...refOf('web'), event })),
    );
    const touched = { kind: 'domain', ...refOf('web'), event: 'tunable' } as const;
    hosts.touch(touched);
    expect(signs.at(-1)).toEqual(touched);
  },
);
