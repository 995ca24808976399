/**
 * What nft lists, as what it was told: its JSON into our own texts of rules, and those into what they
 * amount to. Whatever is in a table besides, or in other words, makes it none of ours, and is put
 * right as a whole.
 */
import * as z from 'zod';
import type { FilterFields, FilterPort, FilterRef, ObservedFilter } from '../../model/filter.ts';
import { NETWORK_MODES } from '../../model/network.ts';
import {
  BETWEEN,
  type Family,
  type FilterKernel,
  type FilterTable,
  SETS,
  tablesOf,
} from './filter-rules.ts';
import type { FilterChain } from './filter-chain.ts';
import { egressFrom } from './filter-egress.ts';
import { elementsOf } from './filter-script.ts';
import { ruleText } from './filter-rule-text.ts';

const place = { family: z.string(), table: z.string(), handle: z.int() };
const chain = z.strictObject({ ...place, name: z.string() });
const baseChain = z.strictObject({
  ...chain.shape,
  type: z.literal('filter'),
  hook: z.string(),
  prio: z.int(),
  policy: z.literal('accept'),
});
const element = z.union([z.string(), z.strictObject({ concat: z.array(z.string()) })]);
const set = z.strictObject({
  ...place,
  name: z.string(),
  type: z.union([z.string(), z.array(z.string())]),
  elem: z.array(element).default([]),
});
const rule = z.strictObject({ ...place, chain: z.string(), expr: z.array(z.unknown()) });
const table = z.strictObject({ family: z.string(), name: z.string(), handle: z.int() });
const object = z.union([
  z.strictObject({ metainfo: z.unknown() }),
  z.strictObject({ table }),
  z.strictObject({ set }),
  z.strictObject({ chain: z.union([baseChain, chain]) }),
  z.strictObject({ rule }),
]);
const listing = z.strictObject({ nftables: z.array(object) });

/** @param listings by family, as JSON; null: there is no such table */
export function readFilter(
  ref: FilterRef,
  listings: Readonly<Record<Family, string | null>>,
  kernel: FilterKernel,
): ObservedFilter {
  const read = Object.entries(listings).map(([family, text]) =>
    text === null ? null : readTable(family as Family, text),
  );
  const tables = read.filter((each) => each !== null);
  const ports = portsIn(tables);
  const fields =
    ports !== null && tables.length === read.length ? fieldsIn(ref, tables, kernel) : null;
  return { ...ref, fields, ports: ports ?? [] };
}

/** Whether a table is as it would be written, but for what is in its sets. */
export function isListed(table: FilterTable, listing: string): boolean {
  const read = readTable(table.family, listing);
  return read !== null && textOf(read) === textOf(table);
}

interface ReadTable extends FilterTable {
  readonly elements: Readonly<Record<string, readonly string[]>>;
}

/** Null: something is in it that is none of ours. */
function readTable(family: Family, text: string): ReadTable | null {
  const parsed = listing.safeParse(JSON.parse(text));
  if (!parsed.success) return null;
  const sets: [string, string][] = [];
  const elements: [string, readonly string[]][] = [];
  const chains: (FilterChain & { rules: string[] })[] = [];
  for (const each of parsed.data.nftables) {
    if ('set' in each) {
      const { name, type, elem } = each.set;
      sets.push([name, [type].flat().join(' . ')]);
      elements.push([name, elem.map(elementText)]);
    }
    if ('chain' in each) {
      const hook = 'hook' in each.chain ? `${each.chain.hook} ${each.chain.prio}` : null;
      chains.push({ name: each.chain.name, hook, rules: [] });
    }
    if ('rule' in each) {
      const { chain: name, expr } = each.rule;
      chains.find((one) => one.name === name)?.rules.push(ruleText(expr));
    }
  }
  return {
    family,
    sets: Object.fromEntries(sets),
    chains,
    elements: Object.fromEntries(elements),
  };
}

function elementText(each: z.output<typeof element>): string {
  const parts = typeof each === 'string' ? [each] : each.concat;
  return parts.join(' . ');
}

/** As the senders say; null where the other sets do not say the same. */
function portsIn(tables: readonly ReadTable[]): readonly FilterPort[] | null {
  const elements = tables.find(({ family }) => family === 'bridge')?.elements;
  if (elements === undefined) return null;
  const ports = (elements['senders'] ?? []).map((each) => {
    const [tap = '', mac = '', address = ''] = each.split(' . ');
    return { tap, mac, address };
  });
  const expected = elementsOf(ports);
  const isSo = (Object.keys(SETS) as (keyof typeof SETS)[]).every(
    (name) => inOrder(expected[name]) === inOrder(elements[name] ?? []),
  );
  return isSo ? ports : null;
}

function inOrder(elements: readonly string[]): string {
  return elements
    .map((each) => each.replaceAll('"', ''))
    .sort()
    .join('\n');
}

/** What it must have been made from, if all that this makes is what is there. */
function fieldsIn(
  ref: FilterRef,
  tables: readonly ReadTable[],
  kernel: FilterKernel,
): FilterFields | null {
  const rules = tables.flatMap(({ chains }) => chains.flatMap((each) => each.rules));
  const found = (pattern: RegExp) =>
    rules.flatMap((each) => pattern.exec(each)?.[1] ?? []).find((each) => each !== ref.bridge);
  const rate = found(/^limit rate over (\d+) bytes\/second /);
  const listed = tables.flatMap(({ chains }) => chains).find(({ name }) => name === 'egress');
  const guess = {
    gateway: found(/^ip daddr (\S+) icmp type echo-request accept$/) ?? '',
    uplink: found(/^oifname "([^"*]+)" (?:accept|goto (?:egress|leaving_at_rate))$/) ?? null,
    portIsolation: !rules.includes(BETWEEN),
    egress: listed === undefined ? null : egressFrom(listed.rules.slice(1, -1)),
    networkBytesPerSecond: rate === undefined ? null : Number(rate),
  };
  const is = tables.map(textOf).join();
  const mode = NETWORK_MODES.find(
    (each) =>
      tablesOf(ref, { ...guess, mode: each }, kernel)
        .map(textOf)
        .join() === is,
  );
  return mode === undefined ? null : { ...guess, mode };
}

function textOf({ family, sets, chains }: FilterTable): string {
  return JSON.stringify([family, Object.entries(sets), chains.map(Object.values)]);
}
