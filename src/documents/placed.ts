/** A valid document together with where it stands, for what can only be judged beside others. */
import type { AnyDocument } from './schema.ts';
import type { SourceDocument } from './source.ts';

export interface Placed<D = AnyDocument> {
  readonly document: D;
  readonly source: SourceDocument;
}
