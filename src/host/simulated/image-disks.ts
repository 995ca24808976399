/** A simulated host's image disks behind the ports. What files are on them nobody says: all that are asked for. */
import type { PartitionOwner } from '../../model/identity.ts';
import type { ImageDiskGoal } from '../../model/image-disk.ts';
import { lentImageDisk } from '../../model/intake.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import type { StoredState } from '../../model/volume.ts';
import type { ImageDiskReader, ImageDiskWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { checkPlace, isOf } from './kept.ts';
import { conflict, refused } from './refusal.ts';
import type { SimulatedImageDisk, World } from './world.ts';
import { writing } from './writing.ts';

const subject = 'image disk';

export function imageDiskReader({ faults, read }: Simulation): ImageDiskReader {
  return {
    find: (partition, signal) =>
      faults.carryOut('imageDisks.find', [subject], signal, {
        whole: async () => {
          const disk = (await read()).imageDisks.get(partition);
          return disk === undefined ? absent : present({ ...disk });
        },
        half: async ({ error }) => unknown(error.message),
      }),
  };
}

export function imageDiskWriter(simulation: Simulation): ImageDiskWriter {
  const write = writing(simulation);
  return {
    create: (owner, goal, signal) =>
      write(
        'imageDisks.create',
        [subject],
        signal,
        (world) => create(world, owner, goal, 'ready'),
        (world) => create(world, owner, goal, 'creating'),
      ),
    rework: (owner, goal, signal) =>
      write(
        'imageDisks.rework',
        [subject],
        signal,
        (world) => rework(world, owner, goal, 'whole'),
        (world) => rework(world, owner, goal, 'half'),
      ),
    delete: (owner, signal) =>
      write(
        'imageDisks.delete',
        [subject],
        signal,
        (world) => remove(world, owner, 'whole'),
        (world) => remove(world, owner, 'half'),
      ),
  };
}

function create(
  world: World,
  owner: PartitionOwner,
  { sizeBytes, given }: ImageDiskGoal,
  state: StoredState,
): void {
  checkPlace(world.imageDisks.get(owner.partition), owner, 'making the image disk');
  const is = { sizeBytes, heldBytes: sizeBytes, given: [...given], takenOut: [], lentTo: null };
  world.imageDisks.set(owner.partition, { owner, state, ...is });
}

/** Half of it leaves a second one beside the first. */
function rework(
  world: World,
  owner: PartitionOwner,
  { sizeBytes, given }: ImageDiskGoal,
  much: 'whole' | 'half',
): void {
  const doing = 'reworking the image disk';
  const disk = findIt(world, owner, doing);
  if (disk?.state !== 'ready') throw conflict(doing, 'it is not there');
  checkNobodyHasIt(world, owner, doing);
  if (much === 'half') disk.heldBytes = disk.sizeBytes + Math.max(disk.sizeBytes, sizeBytes);
  else Object.assign(disk, { sizeBytes, heldBytes: sizeBytes, given: [...given], takenOut: [] });
}

function remove(world: World, owner: PartitionOwner, much: 'whole' | 'half'): void {
  const doing = 'deleting the image disk';
  const disk = findIt(world, owner, doing);
  if (disk === null) return;
  checkNobodyHasIt(world, owner, doing);
  if (much === 'whole') world.imageDisks.delete(owner.partition);
  else disk.state = 'deleting';
}

/** What two write to at once is lost: a real host would not notice. */
export function checkNobodyHasIt(world: World, owner: PartitionOwner, doing: string): void {
  const { alias } = lentImageDisk(owner);
  for (const { live, lentDisks } of world.primaries.values()) {
    if (live !== null && lentDisks.includes(alias)) throw refused(doing, 'a guest has it');
  }
}

function findIt(world: World, owner: PartitionOwner, doing: string): SimulatedImageDisk | null {
  const disk = world.imageDisks.get(owner.partition);
  if (disk === undefined) return null;
  if (!isOf(disk, owner)) throw conflict(doing, 'it is not ours');
  return disk;
}
