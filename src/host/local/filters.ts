/**
 * Packet filters of this machine, in tables of our own by nftables' `nft`. Other tables are neither
 * looked into nor touched: not libvirt's either, which it writes anew whenever it likes.
 */
import type { FilterRef, FilterRules, ObservedFilter } from '../../model/filter.ts';
import { absent, type Observation, present } from '../../model/observation.ts';
import type { FilterReader, FilterWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { isListed, readFilter } from './filter-listing.ts';
import { FAMILIES, type Family, type FilterKernel, tablesOf } from './filter-rules.ts';
import { applyScript, closeScript, removeScript } from './filter-script.ts';
import { listTable, listTables, runScript, tellsBridge } from './nft.ts';

/** A kernel does not become another one. */
type Kernel = (signal: AbortSignal) => Promise<FilterKernel>;

function thisKernel(): Kernel {
  let known: FilterKernel | null = null;
  return async (signal) => (known ??= { tellsBridge: await tellsBridge(signal) });
}

export function localFilterReader(kernel: Kernel = thisKernel()): FilterReader {
  return {
    find: (ref, signal) => attempt(`reading ${ref.table}`, signal, () => find(ref, kernel, signal)),
  };
}

export function localFilters(): FilterReader & FilterWriter {
  const kernel = thisKernel();
  return {
    ...localFilterReader(kernel),
    apply: (ref, rules, signal) =>
      attempt(`putting ${ref.table} in force`, signal, async () => {
        const its = await kernel(signal);
        const kept = await keptFamilies(ref, rules, its, signal);
        await runScript(applyScript(ref, rules, its, kept), signal);
      }),
    close: (ref, tap, signal) =>
      attempt(`closing ${tap} in ${ref.table}`, signal, async () => {
        const seen = await find(ref, kernel, signal);
        const ports = seen.status === 'present' ? seen.value.ports : [];
        const port = ports.find((each) => each.tap === tap);
        if (port !== undefined) await runScript(closeScript(ref, port), signal);
      }),
    remove: (ref, signal) =>
      attempt(`removing ${ref.table}`, signal, () => runScript(removeScript(ref), signal)),
  };
}

/**
 * What limits traffic stays while Secondaries come and go: made anew it is full, and whoever has their
 * documents flap would have another second's worth of traffic each time.
 */
async function keptFamilies(
  ref: FilterRef,
  { fields }: FilterRules,
  kernel: FilterKernel,
  signal: AbortSignal,
): Promise<readonly Family[]> {
  const inet = tablesOf(ref, fields, kernel).find(({ family }) => family === 'inet');
  const listing = await listTable('inet', ref.table, signal).catch(() => null);
  return listing !== null && inet !== undefined && isListed(inet, listing) ? ['inet'] : [];
}

async function find(
  ref: FilterRef,
  kernel: Kernel,
  signal: AbortSignal,
): Promise<Observation<ObservedFilter>> {
  const results = await Promise.allSettled(
    FAMILIES.map((family) => listTable(family, ref.table, signal)),
  );
  // Only what says so is not there: a listing may fail for other reasons.
  const there = results.every(({ status }) => status === 'fulfilled')
    ? null
    : await listTables(ref.table, signal);
  if (there !== null && FAMILIES.every((family) => !there.has(family))) return absent;
  const listings = FAMILIES.map((family, index): [Family, string | null] => {
    const result = results[index];
    if (result?.status === 'fulfilled') return [family, result.value];
    if (there?.has(family)) throw result?.reason;
    return [family, null];
  });
  const texts = Object.fromEntries(listings) as Record<Family, string | null>;
  return present(readFilter(ref, texts, await kernel(signal)));
}
