/** A simulated host's Images behind the ports: one call to the store each. */
import type { PartitionOwner } from '../../model/identity.ts';
import { intakeOf } from '../../model/intake.ts';
import type { Image } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import type { ImageReader, ImageWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import * as changes from './image-changes.ts';
import { keptReader } from './kept.ts';
import { writing } from './writing.ts';

export function imageReader(simulation: Simulation): ImageReader {
  return keptReader(simulation, ({ images }) => images, {
    list: 'images.list',
    read: 'images.read',
    subject,
  });
}

export function imageWriter(simulation: Simulation): ImageWriter {
  const { files, heldIntakes } = simulation;
  const write = writing(simulation);
  const judging = (owner: PartitionOwner, image: Image, judge: Promise<void>) =>
    judge.catch(async (error: unknown) => {
      if (error instanceof HostError && error.code === 'Refused') {
        await simulation.change((world) => changes.dropTakenOut(world, owner, image), null);
      }
      throw error;
    });
  return {
    import: (owner, image, signal) =>
      judging(
        owner,
        image,
        write(
          'images.import',
          [subject(image.name)],
          signal,
          (world) => changes.importImage(world, owner, image, { files, state: 'ready' }),
          (world) => changes.importImage(world, owner, image, { files, state: 'creating' }),
        ).finally(() => heldIntakes.letGo(owner, image.name)),
      ),
    verify: (owner, image, signal) =>
      judging(
        owner,
        image,
        write(
          'images.verify',
          [subject(image.name)],
          signal,
          (world) => {
            changes.verifyImage(world, owner, image, files);
            if (intakeOf(image) !== null) heldIntakes.hold(owner, image.name);
          },
          () => undefined,
        ),
      ),
    letGo: (owner, name) => heldIntakes.letGo(owner, name),
    delete: (owner, name, signal) =>
      write(
        'images.delete',
        [subject(name)],
        signal,
        (world) => changes.deleteImage(world, owner, name),
        (world) => changes.beginDeleteImage(world, owner, name),
      ),
  };
}

function subject(name: string): string {
  return `image ${name}`;
}
