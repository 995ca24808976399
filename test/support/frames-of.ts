/** Ethernet frames as a guest puts them on its wire, true ones and false ones, in hexadecimal. */
import { randomBytes } from 'node:crypto';

const hexOf = (value: number, bytes: number) => value.toString(16).padStart(2 * bytes, '0');
const macHex = (mac: string) => mac.replaceAll(':', '');
export const ipHex = (address: string) =>
  address
    .split('.')
    .map((octet) => hexOf(Number(octet), 1))
    .join('');

/** Eight bytes that are in no other frame. */
export function marker(): string {
  return randomBytes(8).toString('hex');
}

export interface Ends {
  readonly fromMac: string;
  readonly toMac: string;
  readonly from: string;
  readonly to: string;
}

const etherTypes = { ip: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd } as const;

export function ethernet(ends: Pick<Ends, 'fromMac' | 'toMac'>, type: number, payload: string) {
  return macHex(ends.toMac) + macHex(ends.fromMac) + hexOf(type, 2) + payload;
}

/** @param tag an 802.1Q tag of that VLAN around it */
export function udpFrame(
  ends: Ends,
  [source, destination]: readonly [number, number],
  mark: string,
  tag: number | null = null,
): string {
  const length = 8 + mark.length / 2;
  const udp = hexOf(source, 2) + hexOf(destination, 2) + hexOf(length, 2) + '0000' + mark;
  const packet = ipv4(ends, 17, udp);
  if (tag === null) return ethernet(ends, etherTypes.ip, packet);
  return ethernet(ends, etherTypes.vlan, hexOf(tag, 2) + hexOf(etherTypes.ip, 2) + packet);
}

function ipv4({ from, to }: Ends, protocol: number, payload: string): string {
  const length = 20 + payload.length / 2;
  const head = (checksum: number) =>
    `4500${hexOf(length, 2)}00000000` +
    `40${hexOf(protocol, 1)}${hexOf(checksum, 2)}${ipHex(from)}${ipHex(to)}`;
  return head(checksumOf(head(0))) + payload;
}

/** The Internet checksum (RFC 1071). */
function checksumOf(hex: string): number {
  let sum = 0;
  for (let at = 0; at < hex.length; at += 4) sum += Number.parseInt(hex.slice(at, at + 4), 16);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** An answer that says: `from` is at `fromMac`. The mark is behind it, as padding. */
export function arpFrame(
  frame: Pick<Ends, 'fromMac' | 'toMac'>,
  said: Ends,
  mark: string,
  head = '0001080006040002',
): string {
  const { fromMac, from, toMac, to } = said;
  const body = head + macHex(fromMac) + ipHex(from) + macHex(toMac) + ipHex(to);
  return ethernet(frame, etherTypes.arp, body + mark.padEnd(36, '0'));
}

/** A router advertisement (RFC 4861) as far as anybody looks who would filter it. */
export function routerAdvertisement({ fromMac }: Pick<Ends, 'fromMac'>, mark: string): string {
  const source = `fe80${'0'.repeat(12)}${macHex(fromMac).padEnd(16, '0')}`;
  const all = `ff02${'0'.repeat(26)}01`;
  const icmp = `86000000400007080000000000000000${mark}`;
  const packet = `60000000${hexOf(icmp.length / 2, 2)}3aff${source}${all}${icmp}`;
  return ethernet({ fromMac, toMac: '33:33:00:00:00:01' }, etherTypes.ip6, packet);
}
