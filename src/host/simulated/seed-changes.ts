/** What each mutating call does to a simulated host's seeds, and what it refuses. */
import type { PartitionOwner } from '../../model/identity.ts';
import type { Seed, SeedName } from '../../model/seed.ts';
import type { StoredState } from '../../model/volume.ts';
import { checkPlace, findOurs, put } from './kept.ts';
import type { World } from './world.ts';

/** @param state how far it gets: a crash leaves it `creating` */
export function createSeed(
  world: World,
  owner: PartitionOwner,
  { name, form, sizeBytes }: Seed,
  state: StoredState,
): void {
  checkPlace(world.seeds.get(owner.partition)?.get(name), owner, `making seed ${name}`);
  put(world.seeds, owner.partition, name, { owner, state, form, sizeBytes });
}

/** One that is gone is gone. A guest that runs has it open. */
export function deleteSeed(world: World, owner: PartitionOwner, name: SeedName): void {
  findOurs(world.seeds, owner, name, `deleting seed ${name}`);
  world.seeds.get(owner.partition)?.delete(name);
}

export function beginDeleteSeed(world: World, owner: PartitionOwner, name: SeedName): void {
  const seed = findOurs(world.seeds, owner, name, `deleting seed ${name}`);
  if (seed !== null) seed.state = 'deleting';
}
