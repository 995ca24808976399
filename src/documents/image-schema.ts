/** A document of kind Image: bytes that Volumes begin as, known by their digest. */
import * as z from 'zod';
import type { ImageName } from '../model/names.ts';
import { DISK_FORMATS } from '../model/volume.ts';
import {
  branded,
  field,
  file,
  headerOf,
  metadataOf,
  name,
  oneOf,
  size,
  textOf,
} from './schema-parts.ts';

const digest = textOf(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits in lower case');

const source = z
  .strictObject({
    file: field(file.optional(), {
      description: "The name of a file in the partition's store.",
    }),
    imageDisk: field(file.optional(), {
      description: 'The name of a file on the image disk that the Primary hands over.',
    }),
  })
  .refine(
    ({ file: inStore, imageDisk }) => (inStore === undefined) !== (imageDisk === undefined),
    'exactly one of file and imageDisk',
  );

const spec = z.strictObject({
  digest: field(digest, {
    description:
      'What its bytes are: sha256: and 64 hexadecimal digits. Nothing else is ever used.',
  }),
  format: field(oneOf(DISK_FORMATS), {
    description: 'How its bytes are to be read. Always said, never guessed.',
  }),
  virtualSize: field(size(2 ** 10, 64 * 2 ** 40).optional(), {
    description: 'How large a disk it is, from 1KiB to 64TiB. An image that says more is refused.',
  }),
  source: field(
    source,
    { description: 'Where the bytes come from: exactly one of file and imageDisk.' },
    { minProperties: 1, maxProperties: 1 },
  ),
});

export const imageSchema = z
  .strictObject({
    ...headerOf('Image'),
    metadata: metadataOf(
      branded<ImageName>(name),
      'The name, unique among the Images of the partition.',
    ),
    spec: field(spec, { description: 'What it is.' }),
  })
  .meta({ title: 'Image', description: 'A disk image that is named and known by its digest.' });

export type ImageDocument = z.output<typeof imageSchema>;
