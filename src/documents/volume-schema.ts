/** A document of kind Volume: data that outlives the Secondaries that use it. */
import * as z from 'zod';
import type { ImageName, VolumeName } from '../model/names.ts';
import { DELETION_POLICIES, DISK_FORMATS, PROVISIONS } from '../model/volume.ts';
import { branded, field, headerOf, metadataOf, name, oneOf, size } from './schema-parts.ts';

const spec = z.strictObject({
  size: field(size(2 ** 20, 64 * 2 ** 40), {
    description: 'How large it is, from 1MiB to 64TiB. It can grow, and never shrinks.',
    change: 'live where it grows; shrinking is refused',
  }),
  format: field(oneOf(DISK_FORMATS).default('raw'), {
    description: 'How it is kept. raw is faster; qcow2 takes no more room than was written.',
    change: 'refused: it would lose the data',
  }),
  image: field(branded<ImageName>(name).optional(), {
    description: 'The Image that it begins as. Without one it begins empty.',
    change: 'none: it has begun already',
  }),
  provision: field(oneOf(PROVISIONS).default('Copy'), {
    description:
      'How it comes by the bytes of its Image. Copy: it has its own, which the file system may share (reflink); its format is that of the Image. Overlay: a qcow2 that holds only what differs, and needs the Image as long as it lives.',
    change: 'none: it has begun already',
  }),
  copyOf: field(branded<VolumeName>(name).optional(), {
    description:
      'The Volume whose data it begins with, as that is at the moment: a clone, or a snapshot that nobody writes to. No guest may run with that one meanwhile. It has the same format, and if that one is an overlay the same image and provision: Overlay.',
    change: 'none: it has begun already',
  }),
  deletionPolicy: field(oneOf(DELETION_POLICIES).default('Retain'), {
    description:
      'What becomes of the data when the document is gone. Retain: it stays. Delete: it is deleted, last.',
    change: 'live',
  }),
});

export const volumeSchema = z
  .strictObject({
    ...headerOf('Volume'),
    metadata: metadataOf(
      branded<VolumeName>(name),
      'The name, unique among the Volumes of the partition.',
    ),
    spec: field(spec, { description: 'What it is to be.' }),
  })
  .meta({ title: 'Volume', description: 'Data that outlives the Secondaries that use it.' });

export type VolumeDocument = z.output<typeof volumeSchema>;
