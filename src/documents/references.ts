/** Names that one document uses for another. */
import { closest } from './closest.ts';

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
