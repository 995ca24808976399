/**
 * What nft is told. All that one change takes is one script, and nft hands a script to the kernel as
 * one transaction: every packet meets the rules of before or those of after, and no port is open
 * in between.
 */
import { EGRESS_PATTERN } from '../../model/egress.ts';
import type { FilterPort, FilterRef, FilterRules } from '../../model/filter.ts';
import { HostError } from '../host-error.ts';
import {
  FAMILIES,
  type Family,
  type FilterKernel,
  type FilterTable,
  type SETS,
  tablesOf,
} from './filter-rules.ts';

/**
 * Puts all of it in the place of whatever was.
 * @param kept what is as it is to be, and has no ports: it stays
 */
export function applyScript(
  ref: FilterRef,
  { fields, ports }: FilterRules,
  kernel: FilterKernel,
  kept: readonly Family[] = [],
): string {
  check(fields.gateway, ADDRESS);
  if (fields.uplink !== null) check(fields.uplink, INTERFACE);
  if (fields.networkBytesPerSecond !== null) check(`${fields.networkBytesPerSecond}`, AMOUNT);
  if (fields.egress !== null) check(fields.egress, EGRESS_PATTERN);
  const tables = tablesOf(ref, fields, kernel).filter(({ family }) => !kept.includes(family));
  const families = tables.map(({ family }) => family);
  const texts = tables.map((table) => tableText(ref, table, ports));
  return [...removal(ref, families), ...texts].join('\n');
}

/** Also of what is not there, in part or at all. */
export function removeScript(ref: FilterRef): string {
  return removal(ref).join('\n');
}

function removal({ table }: FilterRef, families: readonly Family[] = FAMILIES): readonly string[] {
  return families.flatMap((family) => [
    `add table ${family} ${table}`,
    `delete table ${family} ${table}`,
  ]);
}

export function closeScript({ table }: FilterRef, port: FilterPort): string {
  return Object.entries(elementsOf([port]))
    .map(([set, elements]) => `delete element bridge ${table} ${set} { ${elements.join(', ')} }`)
    .join('\n');
}

function tableText(
  { table }: FilterRef,
  { family, sets, chains }: FilterTable,
  ports: readonly FilterPort[],
): string {
  const elements: Readonly<Record<string, readonly string[]>> = elementsOf(ports);
  const setTexts = Object.entries(sets).map(([name, type]) => {
    const all = elements[name] ?? [];
    const inIt = all.length === 0 ? '' : ` elements = { ${all.join(', ')} };`;
    return `  set ${name} { type ${type};${inIt} }`;
  });
  const chainTexts = chains.map(({ name, hook, rules }) => {
    const [where, priority] = hook?.split(' ') ?? [];
    const base =
      hook === null ? [] : [`type filter hook ${where} priority ${priority}; policy accept;`];
    return [`  chain ${name} {`, ...[...base, ...rules].map((line) => `    ${line}`), '  }'].join(
      '\n',
    );
  });
  return [`table ${family} ${table} {`, ...setTexts, ...chainTexts, '}'].join('\n');
}

/** By set, as nft writes them. */
export function elementsOf(
  ports: readonly FilterPort[],
): Readonly<Record<keyof typeof SETS, readonly string[]>> {
  for (const { tap, mac, address } of ports) {
    check(tap, INTERFACE);
    check(mac, MAC);
    check(address, ADDRESS);
  }
  return {
    ports: ports.map(({ tap }) => `"${tap}"`),
    cards: ports.map(({ tap, mac }) => `"${tap}" . ${mac}`),
    senders: ports.map(({ tap, mac, address }) => `"${tap}" . ${mac} . ${address}`),
    addresses: ports.map(({ address }) => address),
  };
}

const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;
const AMOUNT = /^[1-9]\d{0,10}$/;
const ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** What comes from libvirt's definition of the network, others edit too. */
function check(text: string, pattern: RegExp): void {
  if (pattern.test(text)) return;
  throw new HostError('Refused', `"${text}" is nothing that the packet filter could be told`);
}
