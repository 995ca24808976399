/** Names that one document uses for another. */
import { closest } from './closest.ts';
import { documentLimits } from './limits.ts';

/** Anything that is kept by name. */
export interface Named {
  readonly keys: () => Iterable<string>;
}

/**
 * What is said of a name that nothing has.
 * @param mistakes how many were found before: what was meant is only looked for as long as anybody
 * reads it
 */
export function dangling(
  kind: string,
  name: string,
  known: Named,
  mistakes: number,
): [message: string, options: { remedy: string | null }] {
  // A search among all names for each of as many mistakes takes the product of both.
  const meant = mistakes < documentLimits.diagnosticsMax ? closest(name, [...known.keys()]) : null;
  const remedy = meant === null ? null : `did you mean ${meant}?`;
  return [`there is no ${kind} named "${name}"`, { remedy }];
}
