/** What may stand in a document, said once: zod gives the type, the validator and the JSON Schema. */
import type { z } from 'zod';
import { imageSchema } from './image-schema.ts';
import { partitionSchema } from './partition-schema.ts';
import { secondarySchema } from './secondary-schema.ts';
import { volumeSchema } from './volume-schema.ts';

/** Every kind that a document may be. Adding one here is what makes it known. */
export const schemas = {
  Secondary: secondarySchema,
  Partition: partitionSchema,
  Volume: volumeSchema,
  Image: imageSchema,
} as const;

export type Kind = keyof typeof schemas;
export const kinds = Object.keys(schemas) as readonly Kind[];
export type AnyDocument = z.output<(typeof schemas)[Kind]>;
