/** "Did you mean": the nearest of the names that would have been right. */
import leven from 'leven';

const textCharactersMax = 128;

/** The closest candidate within a third of its length (at least 2 edits), or null. */
export function closest(text: string, candidates: readonly string[]): string | null {
  // Nobody means a short name by a long one, and the distance takes time by the product of both.
  if (text.length > textCharactersMax) return null;
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = leven(text.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance <= Math.max(2, Math.floor(candidate.length / 3))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
