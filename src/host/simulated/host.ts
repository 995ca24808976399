/** A simulated host behind the ports: each call is spoilt or carried out, on a world that is settled. */
import { FILE_NAME_PATTERN } from '../../model/names.ts';
import { absent, present } from '../../model/observation.ts';
import type { DomainFields } from '../../model/domain.ts';
import { HostError } from '../host-error.ts';
import type { Host, HostView, StoreReader } from '../ports.ts';
import { type Clock, machineClock } from './clock.ts';
import { domainReader } from './domain-reader.ts';
import { domainWriter } from './domain-writer.ts';
import { Faults } from './faults.ts';
import { type Temper, temperOf } from './guest.ts';
import type { Keeper } from './keeper.ts';
import { settle } from './settle.ts';
import type { World } from './world.ts';

/**
 * `listed`: a store holds what the world lists for its partition. `any`: whatever file a document
 * names is there, which is what somebody wants who tries a document out and has no kernels.
 */
export type FilesMode = 'any' | 'listed';

export interface SimulationOptions {
  readonly keeper: Keeper;
  readonly clock?: Clock;
  readonly faults?: Faults;
  readonly files?: FilesMode;
  readonly temperOf?: (fields: DomainFields, domainName: string) => Temper;
}

/** What every part of a simulated host works with. */
export interface Simulation {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly files: FilesMode;
  readonly temperOf: (fields: DomainFields, domainName: string) => Temper;
  readonly read: () => Promise<World>;
  readonly change: <T>(act: (world: World) => T, signal: AbortSignal | null) => Promise<T>;
}

export function simulatedView(options: SimulationOptions): HostView {
  const simulation = simulationOf(options);
  return {
    domains: domainReader(simulation),
    store: storeReader(simulation),
    installation: { read: installationRead(simulation) },
  };
}

export function simulatedHost(options: SimulationOptions): Host {
  const simulation = simulationOf(options);
  return {
    domains: { ...domainReader(simulation), ...domainWriter(simulation) },
    store: storeReader(simulation),
    installation: {
      read: installationRead(simulation),
      record: installationRecord(simulation),
    },
  };
}

function simulationOf({ keeper, ...options }: SimulationOptions): Simulation {
  const { clock = machineClock, faults = new Faults(), files = 'listed' } = options;
  const settled = (world: World) => {
    settle(world, clock.now());
    return world;
  };
  return {
    clock,
    faults,
    files,
    temperOf: options.temperOf ?? temperOf,
    read: async () => settled(await keeper.read()),
    change: (act, signal) => keeper.change((world) => act(settled(world)), signal),
  };
}

function storeReader({ faults, files, read }: Simulation): StoreReader {
  const look: StoreReader['size'] = async (partition, file) => {
    const bytes = (await read()).files.get(partition)?.get(file);
    if (bytes !== undefined) return present(bytes);
    return files === 'any' && FILE_NAME_PATTERN.test(file) ? present(anyFileBytes) : absent;
  };
  return {
    size: (partition, file) =>
      faults.carryOut('size', [file], null, { whole: () => look(partition, file) }),
  };
}

/** As good as any: a small disk, or a large kernel. */
const anyFileBytes = 64 * 2 ** 20;

function installationRead({ faults, read }: Simulation): Host['installation']['read'] {
  const whole = async () => (await read()).installation;
  return () => faults.carryOut('installation.read', [], null, { whole });
}

function installationRecord({ faults, change }: Simulation): Host['installation']['record'] {
  return (id) => {
    const whole = () =>
      change((world) => {
        if (world.installation === id) return 'already';
        if (world.installation !== null) throw new HostError('Conflict', 'another id is recorded');
        world.installation = id;
        return 'applied';
      }, null);
    return faults.carryOut('installation.record', [], null, { whole });
  };
}
