/** A simulated host's networks behind the ports: one call to the host each, as with libvirt. */
import type { NetworkRef } from '../../model/network.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import type { NetworkReader, NetworkWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import * as changes from './network-changes.ts';
import { observedNetwork } from './observed-network.ts';
import { reserve, reserveInDefinition, unreserve } from './reservation-changes.ts';
import { writing } from './writing.ts';

export function networkReader({ faults, read }: Simulation): NetworkReader {
  return {
    find: (ref, signal) =>
      faults.carryOut('networks.find', subjects(ref), signal, {
        whole: async () => {
          const world = await read();
          const network =
            world.networks.get(ref.uuid) ?? changes.networkNamed(world, ref.networkName);
          return network === null ? absent : present(observedNetwork(network));
        },
        half: async ({ error }) => unknown(error.message),
      }),
  };
}

export function networkWriter(simulation: Simulation): NetworkWriter {
  const write = writing(simulation);
  return {
    define: (definition, signal) =>
      write('networks.define', subjects(definition), signal, (world) =>
        changes.defineNetwork(world, definition),
      ),
    start: (ref, signal) =>
      write('networks.start', subjects(ref), signal, (world) => changes.startNetwork(world, ref)),
    stop: (ref, signal) =>
      write('networks.stop', subjects(ref), signal, (world) => changes.stopNetwork(world, ref)),
    undefine: (ref, signal) =>
      write('networks.undefine', subjects(ref), signal, (world) =>
        changes.undefineNetwork(world, ref),
      ),
    reserve: (ref, name, reservation, signal) =>
      write(
        'networks.reserve',
        subjects(ref, name),
        signal,
        (world) => reserve(world, ref, name, reservation),
        (world) => reserveInDefinition(world, ref, name, reservation),
      ),
    unreserve: (ref, name, signal) =>
      write('networks.unreserve', subjects(ref, name), signal, (world) =>
        unreserve(world, ref, name),
      ),
  };
}

function subjects({ networkName }: NetworkRef, ...secondaries: readonly string[]): string[] {
  return [`network ${networkName}`, ...secondaries.map((name) => `secondary ${name}`)];
}
