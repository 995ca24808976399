/** Names that one kind of document uses for another: the Images that Volumes begin as. */
import { closest } from './closest.ts';
import { isKind } from './collect.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Placed } from './placed.ts';

export function danglingImages(
  placed: readonly Placed[],
  mayExist: (name: string) => boolean,
): Diagnostic[] {
  const images = placed.filter(isKind('Image')).map(({ document }) => document.metadata.name);
  const known = new Set(images);
  return placed.filter(isKind('Volume')).flatMap(({ document, source }) => {
    const { image } = document.spec;
    if (image === undefined || known.has(image) || mayExist(image)) return [];
    return [
      source.complain('UnknownReference', ['spec', 'image'], ...dangling('Image', image, images)),
    ];
  });
}

/** What is said of a name that nothing has. */
export function dangling(
  kind: string,
  name: string,
  known: readonly string[],
): [message: string, options: { remedy: string | null }] {
  const meant = closest(name, known);
  const remedy = meant === null ? null : `did you mean ${meant}?`;
  return [`there is no ${kind} named "${name}"`, { remedy }];
}
