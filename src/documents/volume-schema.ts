/** A document of kind Volume: data that outlives the Secondaries that use it. */
import * as z from 'zod';
import { field, headerOf, metadataOf, name, oneOf, size } from './schema-parts.ts';

const spec = z.strictObject({
  size: field(size(2 ** 20, 64 * 2 ** 40), {
    description: 'How large it is, from 1MiB to 64TiB. It can grow, and never shrinks.',
    change: 'live where it grows; shrinking is refused',
  }),
  format: field(oneOf(['raw', 'qcow2']).default('raw'), {
    description: 'How it is kept. raw is faster; qcow2 takes no more room than was written.',
    change: 'refused: it would lose the data',
  }),
  image: field(name.optional(), {
    description: 'The Image that it begins as. Without one it begins empty.',
    change: 'none: it has begun already',
  }),
  deletionPolicy: field(oneOf(['Retain', 'Delete']).default('Retain'), {
    description:
      'What becomes of the data when the document is gone. Retain: it stays. Delete: it is deleted, last.',
    change: 'live',
  }),
});

export const volumeSchema = z
  .strictObject({
    ...headerOf('Volume'),
    metadata: metadataOf(name, 'The name, unique among the Volumes of the partition.'),
    spec: field(spec, { description: 'What it is to be.' }),
  })
  .meta({ title: 'Volume', description: 'Data that outlives the Secondaries that use it.' });
