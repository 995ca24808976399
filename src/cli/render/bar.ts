/** How much of something is used, as one sees it without reading numbers. */
const width = 20;

/** `[########............]`; what is over its limit ends in `!`. */
export function bar(used: number, limit: number): string {
  if (used > limit) return `[${'#'.repeat(width - 1)}!]`;
  // Whatever is used at all is seen, and what is full is full.
  const part = limit === 0 ? 0 : (used / limit) * width;
  const filled = used === 0 ? 0 : Math.max(1, Math.floor(part));
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
}
