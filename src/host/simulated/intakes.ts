/**
 * A simulated host's intakes behind the ports. Bytes are only counted: nobody looks into them. On an image disk
 * is every file that is asked for, but those below `missing/`.
 */
import type { PartitionOwner } from '../../model/identity.ts';
import { type Intake, isFor, roomBytes } from '../../model/intake.ts';
import type { ImageName } from '../../model/names.ts';
import type { StoredState } from '../../model/volume.ts';
import type { IntakeReader, IntakeWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { checkNobodyHasIt } from './image-disks.ts';
import { checkPlace, findOurs, keptReader, put } from './kept.ts';
import { conflict, refused } from './refusal.ts';
import type { World } from './world.ts';
import { writing } from './writing.ts';

export function intakeReader(simulation: Simulation): IntakeReader {
  return keptReader(simulation, ({ intakes }) => intakes, {
    list: 'intakes.list',
    read: 'intakes.read',
    subject,
  });
}

export function intakeWriter(simulation: Simulation): IntakeWriter {
  const write = writing(simulation);
  const { heldIntakes } = simulation;
  return {
    create: (owner, intake, signal) =>
      write(
        'intakes.create',
        [subject(intake.image)],
        signal,
        (world) => {
          createIntake(world, owner, intake, 'ready');
          heldIntakes.letGo(owner, intake.image);
        },
        (world) => createIntake(world, owner, intake, 'creating'),
      ),
    append: async (owner, wanted, atByte, bytes, signal) => {
      const end = atByte + bytes.length;
      await write('intakes.append', [subject(wanted.image)], signal, (world) => {
        const isHeld = heldIntakes.isHeld(owner, wanted.image);
        append(world, owner, wanted, { atByte, end, isHeld });
      });
      return end;
    },
    takeOut: (owner, image, path, signal) =>
      write('intakes.takeOut', [subject(image)], signal, (world) =>
        fill(world, owner, image, path),
      ),
    delete: (owner, image, signal) =>
      write(
        'intakes.delete',
        [subject(image)],
        signal,
        (world) => {
          deleteIntake(world, owner, image, 'whole');
          heldIntakes.letGo(owner, image);
        },
        (world) => deleteIntake(world, owner, image, 'half'),
      ),
  };
}

function subject(name: string): string {
  return `intake ${name}`;
}

function createIntake(
  world: World,
  owner: PartitionOwner,
  { image, kind, digest, sizeBytes }: Intake,
  state: StoredState,
): void {
  const doing = `making room for image ${image}`;
  checkPlace(world.intakes.get(owner.partition)?.get(image), owner, doing);
  const heldBytes = roomBytes({ kind, sizeBytes });
  put(world.intakes, owner.partition, image, {
    owner,
    state,
    kind,
    digest,
    sizeBytes,
    lentTo: null,
    receivedBytes: 0,
    heldBytes,
  });
}

interface Chunk {
  readonly atByte: number;
  readonly end: number;
  /** Nothing begins anew in its place. */
  readonly isHeld: boolean;
}

function append(
  world: World,
  owner: PartitionOwner,
  wanted: Intake,
  { atByte, end, isHeld }: Chunk,
): void {
  const doing = `taking in image ${wanted.image}`;
  const intake = findOurs(world.intakes, owner, wanted.image, doing);
  if (intake === null || intake.state !== 'ready') throw refused(doing, 'there is no room for it');
  if (!isFor(wanted, intake)) throw conflict(doing, 'its room is that of other bytes');
  if (intake.kind === 'handOver' || intake.kind === 'imageDisk') {
    throw refused(doing, 'it comes in on a disk');
  }
  if (end > intake.sizeBytes) throw refused(doing, `it has ${intake.sizeBytes} bytes`);
  if (atByte === 0 && (isHeld || intake.heldBytes === 0)) {
    throw refused(doing, 'what has come of it is being looked into');
  }
  if (atByte !== 0 && atByte !== intake.receivedBytes) {
    throw refused(doing, `${intake.receivedBytes} bytes have come`);
  }
  intake.receivedBytes = end;
}

function fill(world: World, owner: PartitionOwner, image: ImageName, path: string): void {
  const doing = `taking image ${image} out of the image disk`;
  const intake = findOurs(world.intakes, owner, image, doing);
  if (intake?.state !== 'ready') throw conflict(doing, 'there is no room for it');
  if (intake.kind !== 'imageDisk') throw refused(doing, 'it does not come from there');
  const disk = world.imageDisks.get(owner.partition);
  if (disk?.state !== 'ready') throw conflict(doing, 'there is none');
  checkNobodyHasIt(world, owner, doing);
  if (path.startsWith('missing/')) {
    if (intake.receivedBytes === intake.sizeBytes) return;
    throw refused(doing, 'there is no such file');
  }
  disk.takenOut = [...new Set([...disk.takenOut, path])];
  intake.receivedBytes = intake.sizeBytes;
}

function deleteIntake(
  world: World,
  owner: PartitionOwner,
  image: ImageName,
  much: 'whole' | 'half',
): void {
  const intake = findOurs(world.intakes, owner, image, `deleting the intake of image ${image}`);
  if (intake === null) return;
  if (much === 'whole') world.intakes.get(owner.partition)?.delete(image);
  else intake.state = 'deleting';
}
