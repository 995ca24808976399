/** A simulated host behind the ports: each call is spoilt or carried out, on a world that is settled. */
import type { DomainFields } from '../../model/domain.ts';
import { HostError } from '../host-error.ts';
import type { Host, HostSign, HostView } from '../ports.ts';
import { type Clock, machineClock } from './clock.ts';
import { domainReader } from './domain-reader.ts';
import { domainWriter } from './domain-writer.ts';
import { Faults } from './faults.ts';
import { filterReader, filterWriter } from './filters.ts';
import { type Temper, temperOf } from './guest.ts';
import { type HeldIntakes, heldIntakes } from './held-intakes.ts';
import { imageDiskReader, imageDiskWriter } from './image-disks.ts';
import { imageReader, imageWriter } from './images.ts';
import { intakeReader, intakeWriter } from './intakes.ts';
import type { Keeper } from './keeper.ts';
import { networkReader, networkWriter } from './networks.ts';
import { primaryReader, primaryWriter } from './primaries.ts';
import { uplinkReader } from './uplinks.ts';
import { seedReader, seedWriter } from './seeds.ts';
import { settle } from './settle.ts';
import { settledSigns } from './signs.ts';
import { sliceReader, sliceWriter } from './slices.ts';
import { type FilesMode, storeReader } from './store.ts';
import { volumeReader, volumeWriter } from './volumes.ts';
import type { World } from './world.ts';

export interface SimulationOptions {
  readonly keeper: Keeper;
  readonly clock?: Clock;
  readonly faults?: Faults;
  readonly files?: FilesMode;
  readonly temperOf?: (fields: DomainFields, domainName: string) => Temper;
  /** Hears of every change of a domain or a network. */
  readonly onSign?: (sign: HostSign) => void;
}

/** What every part of a simulated host works with. */
export interface Simulation {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly files: FilesMode;
  readonly temperOf: (fields: DomainFields, domainName: string) => Temper;
  readonly read: () => Promise<World>;
  readonly change: <T>(act: (world: World) => T, signal: AbortSignal | null) => Promise<T>;
  readonly onSign: (sign: HostSign) => void;
  /** What no other process knows: the intakes that nothing begins anew in now. */
  readonly heldIntakes: HeldIntakes;
}

export function simulatedView(options: SimulationOptions): HostView {
  const simulation = simulationOf(options);
  return {
    domains: domainReader(simulation),
    store: storeReader(simulation),
    volumes: volumeReader(simulation),
    images: imageReader(simulation),
    intakes: intakeReader(simulation),
    imageDisks: imageDiskReader(simulation),
    seeds: seedReader(simulation),
    networks: networkReader(simulation),
    filters: filterReader(simulation),
    slices: sliceReader(simulation),
    primaries: primaryReader(simulation),
    uplinks: uplinkReader(simulation),
    installation: { read: installationRead(simulation) },
  };
}

export function simulatedHost(options: SimulationOptions): Host {
  const simulation = simulationOf(options);
  return {
    domains: { ...domainReader(simulation), ...domainWriter(simulation) },
    store: storeReader(simulation),
    volumes: { ...volumeReader(simulation), ...volumeWriter(simulation) },
    images: { ...imageReader(simulation), ...imageWriter(simulation) },
    intakes: { ...intakeReader(simulation), ...intakeWriter(simulation) },
    imageDisks: { ...imageDiskReader(simulation), ...imageDiskWriter(simulation) },
    seeds: { ...seedReader(simulation), ...seedWriter(simulation) },
    networks: { ...networkReader(simulation), ...networkWriter(simulation) },
    filters: { ...filterReader(simulation), ...filterWriter(simulation) },
    slices: { ...sliceReader(simulation), ...sliceWriter(simulation) },
    primaries: { ...primaryReader(simulation), ...primaryWriter(simulation) },
    uplinks: uplinkReader(simulation),
    installation: {
      read: installationRead(simulation),
      record: installationRecord(simulation),
    },
  };
}

function simulationOf({ keeper, ...options }: SimulationOptions): Simulation {
  const { clock = machineClock, faults = new Faults(), files = 'listed' } = options;
  const onSign = options.onSign ?? (() => undefined);
  const tellOnce = settledSigns(onSign);
  const settled = (world: World) => {
    settle(world, clock.now(), tellOnce);
    return world;
  };
  return {
    clock,
    faults,
    files,
    temperOf: options.temperOf ?? temperOf,
    read: async () => settled(await keeper.read()),
    change: (act, signal) => keeper.change((world) => act(settled(world)), signal),
    onSign,
    heldIntakes: heldIntakes(),
  };
}

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
