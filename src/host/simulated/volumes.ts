/** A simulated host's Volumes behind the ports: one call to the store each. */
import { directoryStore } from '../../model/thin-pool.ts';
import type { VolumeReader, VolumeWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { keptReader } from './kept.ts';
import * as changes from './volume-changes.ts';
import { writing } from './writing.ts';

export function volumeReader(simulation: Simulation): VolumeReader {
  const { faults } = simulation;
  return {
    ...keptReader(simulation, ({ volumes }) => volumes, {
      list: 'volumes.list',
      read: 'volumes.read',
      subject: volumeSubject,
    }),
    store: (signal) =>
      faults.carryOut('volumes.store', [], signal, { whole: async () => directoryStore }),
  };
}

export function volumeWriter(simulation: Simulation): VolumeWriter {
  const write = writing(simulation);
  return {
    create: (owner, volume, signal) =>
      write(
        'volumes.create',
        [volumeSubject(volume.name)],
        signal,
        (world) => changes.createVolume(world, owner, volume, 'ready'),
        (world) => changes.createVolume(world, owner, volume, 'creating'),
      ),
    grow: (owner, name, bytes, signal) =>
      write('volumes.grow', [volumeSubject(name)], signal, (world) =>
        changes.growVolume(world, owner, name, bytes),
      ),
    setDeletionPolicy: (owner, name, policy, signal) =>
      write('volumes.setDeletionPolicy', [volumeSubject(name)], signal, (world) =>
        changes.setDeletionPolicy(world, owner, name, policy),
      ),
    delete: (owner, name, signal) =>
      write(
        'volumes.delete',
        [volumeSubject(name)],
        signal,
        (world) => changes.deleteVolume(world, owner, name),
        (world) => changes.beginDeleteVolume(world, owner, name),
      ),
  };
}

export function volumeSubject(name: string): string {
  return `volume ${name}`;
}
