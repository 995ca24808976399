/**
 * Values of documents, which nobody has looked into here: whether JSON gives one back as it is, and
 * one text for all that mean the same. Without the first, what was written down is not what was
 * accepted.
 */
import { byName } from '../../model/names.ts';

/**
 * Twice what documents/ lets pass, since a bundle that was accepted must be readable for ever, and
 * far from where a recursion ends the process.
 */
export const valueDepthMax = 64;

export function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value !== 'object' || depth >= valueDepthMax) return false;
  const within = (each: unknown) => isPlain(each, depth + 1);
  // A copy, because `every` passes over holes, which JSON turns into null.
  if (Array.isArray(value)) return Array.from<unknown>(value).every(within);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) && Object.values(value).every(within)
  );
}

/** JSON without blanks, its keys in order. @param value of which `isPlain` is true */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => byName(a, b))
    .map(([key, each]) => `${JSON.stringify(key)}:${canonicalText(each)}`);
  return `{${members.join(',')}}`;
}
