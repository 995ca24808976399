/** What of a partition could not be listed: there may be more of it than anybody has seen. */
import type { Observed } from '../model/domain.ts';

/** Null: all that there is was seen. */
export function unlistedIn(observed: Observed): string | null {
  return observed.unlisted ?? unlistedKept(observed);
}

/** Of what is kept in its store. */
export function unlistedKept(observed: Observed): string | null {
  const kinds = [
    ['Volumes', observed.unlistedVolumes],
    ['Images', observed.unlistedImages],
    ['Images that come in', observed.unlistedIntakes],
    ['first-boot disks', observed.unlistedSeeds],
  ] as const;
  const words = kinds.flatMap(([what, why]) => (why === null ? [] : [`its ${what}: ${why}`]));
  return words[0] ?? null;
}
