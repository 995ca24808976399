/**
 * What nft 1.0.6 listed of a filter that was just put in force (`filter-listing.json`), as it is and
 * spoilt in every place: what is not exactly what we write is not taken for it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFilter } from '../../../../src/host/local/filter-listing.ts';
import {
  FAMILIES,
  type Family,
  type FilterKernel,
} from '../../../../src/host/local/filter-rules.ts';
import { applyScript } from '../../../../src/host/local/filter-script.ts';

interface Listing {
  nftables: Record<string, Record<string, unknown>>[];
}
type Listings = Record<Family, Listing | null>;

const text = readFileSync(new URL('filter-listing.json', import.meta.url), 'utf8');
/** As nft writes it: without spaces. */
const recorded = JSON.stringify(JSON.parse(text));
const fresh = () => JSON.parse(recorded) as Record<Family, Listing>;
const ref = { table: 'un_0123456789ab', bridge: 'un-0123456789ab' };
const fields = {
  gateway: '10.20.0.1',
  mode: 'nat',
  uplink: 'eth0',
  portIsolation: false,
  egress: '1.1.1.1/32 tcp 80 443, 10.0.0.0/8 udp, 10.20.0.1/32 udp 53',
  networkBytesPerSecond: 2 ** 20,
} as const;
const ports = [
  { tap: 'unt000000000001', mac: '52:00:00:00:00:01', address: '10.20.0.5' },
  { tap: 'unt000000000002', mac: '52:00:00:00:00:02', address: '10.20.0.6' },
];

function read(listings: Listings, kernel: FilterKernel = { tellsBridge: false }) {
  const texts = FAMILIES.map((family) => {
    const listing = listings[family];
    return [family, listing === null ? null : JSON.stringify(listing)] as const;
  });
  return readFilter(ref, Object.fromEntries(texts) as Record<Family, string | null>, kernel);
}

/** Every place in the listing that means something. */
const places = FAMILIES.flatMap((family) =>
  fresh()[family].nftables.flatMap((each, index) =>
    'metainfo' in each || 'table' in each ? [] : [[family, index, JSON.stringify(each)] as const],
  ),
);

describe('a listing', () => {
  test('is read as what was put in force', () => {
    expect(read(fresh())).toEqual({ ...ref, fields, ports });
  });

  test('of a kernel that tells the bridge has one rule more, which belongs there', () => {
    const listings = fresh();
    const { nftables } = listings.bridge;
    const last = nftables.findLastIndex(({ rule }) => rule?.['chain'] === 'forward');
    const place = { family: 'bridge', table: ref.table, chain: 'forward', handle: 99 };
    const right = ref.bridge;
    const match = { op: '==', left: { meta: { key: 'ibrname' } }, right };
    nftables.splice(last + 1, 0, { rule: { ...place, expr: [{ match }, { drop: null }] } });
    expect(read(listings, { tellsBridge: true })).toEqual({ ...ref, fields, ports });
    expect(read(listings).fields).toBeNull();
    expect(read(fresh(), { tellsBridge: true }).fields).toBeNull();
  });

  test.each(places)('in %s without number %i is none of ours', (family, index) => {
    const listings = fresh();
    listings[family].nftables.splice(index, 1);
    expect(read(listings).fields).toBeNull();
  });

  // Sets and chains have names of their own.
  const rules = places.filter(([, , text]) => text.startsWith('{"rule"'));
  test.each(rules)('in %s with number %i twice is none of ours', (family, index) => {
    const listings = fresh();
    const { nftables } = listings[family];
    nftables.splice(index, 0, structuredClone(nftables[index] ?? {}));
    expect(read(listings).fields).toBeNull();
  });

  test.each(FAMILIES)('without %s is none of ours', (family) => {
    expect(read({ ...fresh(), [family]: null }).fields).toBeNull();
  });

  test.each([
    ['a counter in a rule', { rule: { chain: 'incoming', expr: [{ counter: {} }] } }],
    ['a map', { map: { name: 'more' } }],
    ['a flowtable', { flowtable: { name: 'fast' } }],
  ])('with %s is none of ours', (_what, more) => {
    const listings = fresh();
    const [kind = ''] = Object.keys(more);
    const place = { family: 'bridge', table: ref.table, handle: 99 };
    const value = { ...place, ...Object.values(more)[0] };
    listings.bridge.nftables.push({ [kind]: value });
    expect(read(listings).fields).toBeNull();
  });

  test.each([
    ['"policy":"accept"', '"policy":"drop"'],
    ['"prio":-310', '"prio":-309'],
    ['{"drop":null}', '{"accept":null}'],
    ['"op":"!="', '"op":"=="'],
    ['"right":"@cards"', '"right":"@senders"'],
    ['"10.20.0.1"', '"10.20.0.2"'],
    ['"unt000000000002"', '"unt000000000003"'],
    ['"right":68', '"right":69'],
    ['"len":8', '"len":9'],
    ['443', '444'],
    ['"rate":1,', '"rate":2,'],
    ['"rate_unit":"mbytes"', '"rate_unit":"kbytes"'],
    ['"burst":64,', '"burst":65,'],
    ['"reply"', '"original"'],
  ])('with %s turned to %s in one place is none of ours', (from, to) => {
    expect(recorded).toContain(from);
    for (let at = recorded.indexOf(from); at >= 0; at = recorded.indexOf(from, at + 1)) {
      const spoilt = recorded.slice(0, at) + to + recorded.slice(at + from.length);
      expect(read(JSON.parse(spoilt) as Listings).fields).toBeNull();
    }
  });
});

describe('what nft is told', () => {
  test.each([
    ['an address', { ...fields, gateway: '10.20.0.1; flush ruleset' }, ports],
    ['an interface', { ...fields, uplink: 'eth0" accept' }, ports],
    ['an interface that is many', { ...fields, uplink: 'eth*' }, ports],
    ['a list', { ...fields, egress: '10.0.0.0/8 accept' }, ports],
    ['a list of several', { ...fields, egress: '10.0.0.0/8; flush ruleset' }, ports],
    ['a rate', { ...fields, networkBytesPerSecond: 1.5 }, ports],
    ['a MAC address', fields, [{ ...ports[0], mac: '52' }]],
    ['a tap', fields, [{ ...ports[0], tap: 'x }' }]],
  ])('holds nothing that is not %s', (_what, spoiltFields, spoiltPorts) => {
    const rules = { fields: spoiltFields, ports: spoiltPorts as typeof ports };
    expect(() => applyScript(ref, rules, { tellsBridge: true })).toThrow(
      expect.objectContaining({ code: 'Refused' }),
    );
  });
});
