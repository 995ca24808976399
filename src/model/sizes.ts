/**
 * Amounts of memory and storage. Documents say `512MiB`; everything past the documents says bytes.
 * Only binary units: libvirt's "MB" is 10^6 and its "M" is 2^20, a difference nobody should meet.
 */
const UNIT_BYTES = new Map([
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

/** What `parseSize` takes, as a pattern for JSON Schema. */
export const SIZE_PATTERN = /^(?:0|[1-9][0-9]{0,15})(?:KiB|MiB|GiB|TiB)$/;

/** `512MiB` as bytes; undefined if it is not of that form or not a safe integer. */
export function parseSize(text: string): number | undefined {
  if (!SIZE_PATTERN.test(text)) return undefined;
  const bytes = Number(text.slice(0, -3)) * (UNIT_BYTES.get(text.slice(-3)) ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes in the largest unit that keeps them whole; plain `123 B` where none does. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [...UNIT_BYTES].toReversed()) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes} B`;
}

/** What was measured and is no whole number of any unit: two digits behind the point at most. */
export function formatApproximately(bytes: number): string {
  for (const [unit, size] of [...UNIT_BYTES].toReversed()) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(bytes / size < 10 ? 2 : 1))}${unit}`;
  }
  return `${bytes} B`;
}
