import { nameOf } from './named.ts';

/** Figures of a guest's memory by libvirt's tags; sizes in KiB, `lastUpdate` in seconds since 1970. */
const tagNames = [
  'swapIn',
  'swapOut',
  'majorFault',
  'minorFault',
  'unused',
  'available',
  'actualBalloon',
  'rss',
  'usable',
  'lastUpdate',
  'diskCaches',
  'hugetlbPgAlloc',
  'hugetlbPgFail',
] as const;

export type MemoryStatName = (typeof tagNames)[number];

/**
 * What is known of a guest's memory. All but `actualBalloon` and `rss` is what the guest's
 * balloon driver says, and may be anything.
 */
export type MemoryStats = ReadonlyMap<MemoryStatName, number | bigint>;

export function memoryStatsMap(
  stats: ReadonlyArray<{ readonly tag: number; readonly value: number | bigint }>,
): MemoryStats {
  const map = new Map<MemoryStatName, number | bigint>();
  for (const { tag, value } of stats) {
    const name = nameOf(tagNames, tag);
    if (name !== 'unknown') map.set(name, value);
  }
  return map;
}
