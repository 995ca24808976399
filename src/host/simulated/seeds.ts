/** A simulated host's seeds behind the ports: one call to the store each. What is in one, nobody keeps. */
import type { SeedReader, SeedWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { keptReader } from './kept.ts';
import * as changes from './seed-changes.ts';
import { writing } from './writing.ts';

export function seedReader(simulation: Simulation): SeedReader {
  return keptReader(simulation, ({ seeds }) => seeds, {
    list: 'seeds.list',
    read: 'seeds.read',
    subject,
  });
}

export function seedWriter(simulation: Simulation): SeedWriter {
  const write = writing(simulation);
  return {
    create: (owner, seed, _content, signal) =>
      write(
        'seeds.create',
        [subject(seed.name)],
        signal,
        (world) => changes.createSeed(world, owner, seed, 'ready'),
        (world) => changes.createSeed(world, owner, seed, 'creating'),
      ),
    delete: (owner, name, signal) =>
      write(
        'seeds.delete',
        [subject(name)],
        signal,
        (world) => changes.deleteSeed(world, owner, name),
        (world) => changes.beginDeleteSeed(world, owner, name),
      ),
  };
}

function subject(name: string): string {
  return `seed ${name}`;
}
