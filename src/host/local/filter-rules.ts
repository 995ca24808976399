/**
 * The rules of a partition's packet filter, as nftables has them: what is written, and what a listing
 * is compared with. A base chain sees every bridge and interface of the host, so that each lets
 * through whatever is not ours (`policy accept`), and drops by rules. Ours come before those of
 * libvirt; where ours let something through, libvirt's still decide.
 *
 * In the bridge family a port of ours is known by its tap, whatever bridge it is in: not every kernel
 * tells the bridge (`meta ibrname`). What has passed as one carries `passed` as its priority on the way up
 * into the host, and what comes from the bridge without that has come in by a port that nobody knows. Two of
 * those reach each other, but where the kernel tells their bridge.
 */
import type { FilterFields, FilterRef } from '../../model/filter.ts';
import { based, type FilterChain, inner } from './filter-chain.ts';
import { hostChains } from './filter-host-rules.ts';

export const FAMILIES = ['bridge', 'arp', 'inet'] as const;
export type Family = (typeof FAMILIES)[number];

export interface FilterTable {
  readonly family: Family;
  /** By name: the types of what is in it. */
  readonly sets: Readonly<Record<string, string>>;
  readonly chains: readonly FilterChain[];
}

/** Before what libvirt and others have at `filter` and `raw`, -300. */
const first = -310;
/**
 * `un` and 16: of no qdisc's handle, so that no shaping of the taps takes it for a class, and of the
 * usual band in those that look at its last four bits. What is forwarded gets another one from IP.
 */
const passed = '756e:10';

/**
 * A bridge learns from LLDP's frames (01:80:c2:00:00:0e) before any rule of ours sees them: who says in
 * one to have another's MAC address does not get what is for that other.
 */
const elsewhere =
  'ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 oifname . ether daddr != @cards drop';

/** There, unless Secondaries are kept apart. */
export const BETWEEN = 'iifname @ports oifname @ports goto between';

/** What the bridge's rules look up. */
export const SETS = {
  ports: 'ifname',
  cards: 'ifname . ether_addr',
  senders: 'ifname . ether_addr . ipv4_addr',
  addresses: 'ipv4_addr',
} as const;

/** What kernels differ in. */
export interface FilterKernel {
  /** CONFIG_NFT_BRIDGE_META: a frame between two ports tells their bridge. */
  readonly tellsBridge: boolean;
}

export function tablesOf(
  ref: FilterRef,
  fields: FilterFields,
  kernel: FilterKernel,
): readonly FilterTable[] {
  const unknownPort = `iifname "${ref.bridge}" meta priority != ${passed} drop`;
  return [
    { family: 'bridge', sets: SETS, chains: bridgeChains(ref, fields, kernel) },
    { family: 'arp', sets: {}, chains: [based('input', first, [unknownPort])] },
    {
      family: 'inet',
      sets: {},
      chains: [based('prerouting', first, [unknownPort]), ...hostChains(ref, fields)],
    },
  ];
}

function bridgeChains(
  { bridge }: FilterRef,
  { portIsolation }: FilterFields,
  { tellsBridge }: FilterKernel,
): readonly FilterChain[] {
  const between = portIsolation ? [] : [BETWEEN];
  return [
    based('prerouting', first, ['iifname @ports goto incoming']),
    // Frames to bridges (01:80:c2:00:00:0x) come by here only, and it learns where their senders are.
    based('input', first, ['iifname @ports goto incoming']),
    based('forward', first, [
      ...between,
      'iifname @ports drop',
      'oifname @ports drop',
      ...(tellsBridge ? [`meta ibrname "${bridge}" drop`] : []),
    ]),
    // What is for a Secondary leaves by its own port, or not at all.
    based('output', first, [
      'oifname @ports goto outgoing',
      'ip daddr @addresses drop',
      'arp daddr ip @addresses drop',
    ]),
    inner('incoming', [
      'iifname . ether saddr != @cards drop',
      'ether type ip goto incoming_ip',
      'ether type arp goto incoming_arp',
      'drop',
    ]),
    inner('incoming_ip', [
      // Nobody here answers for the network's own DHCP.
      'udp dport 68 drop',
      'udp sport 67 drop',
      'ip saddr 0.0.0.0 udp sport 68 udp dport 67 goto known',
      'iifname . ether saddr . ip saddr @senders goto known',
      'drop',
    ]),
    inner('incoming_arp', [
      // In any other form the addresses are at other places.
      'arp htype != 1 drop',
      'arp ptype != ip drop',
      'arp hlen != 6 drop',
      'arp plen != 4 drop',
      'iifname . arp saddr ether . arp saddr ip @senders goto known',
      'drop',
    ]),
    inner('known', [`meta priority set ${passed} accept`]),
    inner('between', [elsewhere, 'accept']),
    inner('outgoing', [elsewhere, 'ether type ip accept', 'ether type arp accept', 'drop']),
  ];
}
