/** All of `unnestd` but its machine: `startDaemon` on a virtual clock and disk, and a simulated host. */
import { type DaemonConfig, readConfig } from '../../src/daemon/config.ts';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts';
import { type SimulatedHosts, simulatedHosts } from '../../src/host/simulated/daemon-hosts.ts';
import type { FaultRule } from '../../src/host/simulated/faults.ts';
import { keepInMemory } from '../../src/host/simulated/keeper.ts';
import type { World } from '../../src/host/simulated/world.ts';
import { installation, partition } from './passes.ts';
import { worldOf } from './simulation.ts';
import { descriptionOf, desiredStateDir, honestParser, nobodyFetches } from './virtual-daemon.ts';
import { type VirtualRuntime, virtualRuntime } from './virtual-runtime.ts';

export interface VirtualUnnestd {
  readonly runtime: VirtualRuntime;
  readonly world: World;
  readonly hosts: SimulatedHosts;
  readonly daemon: Daemon;
  /** Puts one file into the partition's folder, and waits until it is read. */
  write(text: string): Promise<void>;
  /** Ends it. @returns how long that has taken, in virtual seconds */
  secondsToClose(): Promise<number>;
}

export interface VirtualUnnestdOptions {
  /** What goes wrong with the host. */
  readonly rules?: readonly FaultRule[];
  /** Of the one partition; by default a folder rules it. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** What the configuration has beside the defaults. */
  readonly configured?: Partial<DaemonConfig>;
}

export async function virtualUnnestd({
  rules = [],
  spec = { source: 'Directory' },
  configured = {},
}: VirtualUnnestdOptions = {}): Promise<VirtualUnnestd> {
  const runtime = virtualRuntime();
  const world = worldOf({ files: ['vmlinuz'] });
  const { hostClock: clock } = runtime.time;
  const hosts = simulatedHosts({ keeper: keepInMemory(world), clock, rules });
  const read = readConfig(null);
  if (!read.ok) throw new Error('the defaults are not valid');
  const config = { ...read.config, ...configured };
  const [, description] = descriptionOf(partition, spec);
  const file = `${config.partitionsDir}/${partition}.yaml`;
  runtime.disk.write(file, JSON.stringify(description.value));
  const starting = startDaemon({
    version: '0.0.0',
    runtime,
    config,
    parser: honestParser,
    fetcher: nobodyFetches,
    lock: async () => ({ release: async () => undefined }),
    newInstallation: () => installation,
    logTo: { write: () => undefined },
    notify: null,
    openHosts: async () => hosts,
  });
  await runtime.advance(1000);
  const daemon = await starting;
  return {
    runtime,
    world,
    hosts,
    daemon,
    write: async (text) => {
      runtime.disk.write(`${desiredStateDir}/${partition}/web.yaml`, text);
      await runtime.advance(5000);
    },
    secondsToClose: async () => {
      const startedMs = runtime.clock.now();
      let endedMs = Infinity;
      const closing = daemon.close().then(() => (endedMs = runtime.clock.now()));
      await runtime.advance(4_000_000);
      await closing;
      return (endedMs - startedMs) / 1000;
    },
  };
}
