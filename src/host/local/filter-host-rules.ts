/** The rules of what a partition's network has to do with the rest: with the host, and by way of it. */
import { isPermitted } from '../../model/egress.ts';
import type { FilterFields, FilterRef } from '../../model/filter.ts';
import { based, type FilterChain, inner } from './filter-chain.ts';
import { egressMatches } from './filter-egress.ts';

/** Before what others let through; behind connection tracking, -200. */
const early = -10;

/** What reaches the host, and what it forwards. */
export function hostChains(ref: FilterRef, fields: FilterFields): readonly FilterChain[] {
  const { bridge } = ref;
  const { gateway } = fields;
  return [
    based('input', early, [`iifname "${bridge}" goto to_host`]),
    based('forward', early, [
      `iifname "${bridge}" goto leaving`,
      `oifname "${bridge}" goto arriving`,
    ]),
    inner('to_host', [
      // Where the host has begun it.
      'ct state established,related accept',
      'ip daddr 255.255.255.255 udp dport 67 accept',
      `ip daddr ${gateway} udp dport 67 accept`,
      // It asks others, and would carry out to anywhere what a list keeps in.
      ...(['udp', 'tcp'] as const)
        .filter((protocol) => isPermitted(fields.egress, gateway, protocol, 53))
        .map((protocol) => `ip daddr ${gateway} ${protocol} dport 53 accept`),
      `ip daddr ${gateway} icmp type echo-request accept`,
      'drop',
    ]),
    inner('leaving', leaving(ref, fields)),
    inner('arriving', arriving(fields)),
    ...egressChains(fields),
    ...rateChains(fields),
  ];
}

/**
 * Each packet of what a Secondary has begun is looked up, both ways, and not only the first: what a
 * shorter list no longer allows is cut off. Who answers has been begun with from outside.
 */
function egressChains(fields: FilterFields): readonly FilterChain[] {
  const { egress, mode } = fields;
  if (egress === null || mode === 'isolated') return [];
  const [out, back] = [passing('leaving', fields), passing('arriving', fields)];
  const to = egressMatches(egress, 'to').map((match) => `${match}${out}`);
  const from = egressMatches(egress, 'from').map((match) => `${match}${back}`);
  return [
    inner('egress', [`ct direction reply ${out}`, ...to, 'drop']),
    inner('answers', [...from, 'drop']),
  ];
}

/**
 * Each a bucket that holds what the rate allows in one second, and this: the largest packet that the
 * kernel forwards in one piece (GSO_LEGACY_MAX_SIZE), or at a low rate none of that size ever fitted.
 */
const burstBytes = 2 ** 16;

/** What is dropped takes nothing of it (nft_limit.c). */
function rateChains({ networkBytesPerSecond: rate }: FilterFields): readonly FilterChain[] {
  if (rate === null) return [];
  const most = `limit rate over ${rate} bytes/second burst ${burstBytes} bytes drop`;
  return ['leaving', 'arriving'].map((way) => inner(`${way}_at_rate`, [most, 'accept']));
}

/** What becomes of that which may leave, or arrive. It is counted last: only of what goes on. */
function passing(way: 'leaving' | 'arriving', { networkBytesPerSecond }: FilterFields): string {
  return networkBytesPerSecond === null ? 'accept' : `goto ${way}_at_rate`;
}

/** Any bridge of a partition. */
const ours = '"un-*"';

function leaving({ bridge }: FilterRef, fields: FilterFields): string[] {
  const { mode, uplink, portIsolation } = fields;
  // From one Secondary to another by way of the host is no other way than the bridge.
  const back = portIsolation ? [] : [`oifname "${bridge}" accept`];
  if (mode === 'isolated') return [...back, 'drop'];
  const others = `oifname ${ours} drop`;
  const pass = fields.egress === null ? passing('leaving', fields) : 'goto egress';
  if (uplink === null) return [...back, others, pass];
  return [...back, others, `oifname "${uplink}" ${pass}`, 'drop'];
}

function arriving(fields: FilterFields): string[] {
  const { mode, uplink } = fields;
  if (mode === 'isolated') return ['drop'];
  const from = uplink === null ? [] : [`iifname != "${uplink}" drop`];
  const pass = passing('arriving', fields);
  const begun =
    mode === 'routed'
      ? [pass]
      : // Behind NAT nobody outside begins, but where the operator's own rules lead there.
        [`ct state established,related ${pass}`, `ct status dnat ${pass}`, 'drop'];
  const answers =
    fields.egress === null ? [] : ['ct state established ct direction reply goto answers'];
  return [`iifname ${ours} drop`, ...from, ...answers, ...begun];
}
