/** A digest of what somebody defined on a simulated host. */
import { createHash } from 'node:crypto';

export function fingerprintOf(content: unknown): string {
  return createHash('sha256').update(stableText(content)).digest('hex');
}

/** JSON with its keys in order: the world may have been through a file that a person edited. */
function stableText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
