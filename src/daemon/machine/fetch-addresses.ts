/**
 * Where a name leads, and whether that may be connected to. The name is looked up once, by the host's own
 * resolver; what is connected to is the address that was looked at. Of all special addresses (the registries
 * of RFC 6890) only private ones and the host's own may be allowed, never those of a link, where clouds keep
 * their credentials.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, connect, type Socket } from 'node:net';

export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** @throws Error where nobody knows the name */
export type Resolve = (host: string) => Promise<readonly HostAddress[]>;

export const resolveName: Resolve = (host) => lookup(host, { all: true });

function listOf(...subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', prefix] = subnet.split('/');
    list.addSubnet(net, Number(prefix), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

const privateV4 = listOf(
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
);
const specialV4 = listOf(
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
);
const privateV6 = listOf('::1/128', 'fc00::/7');
const globalV6 = listOf('2000::/3');
/** Tunnels lead to an IPv4 address that stands in them. */
const specialV6 = listOf(
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
);

export function mayConnect({ address, family }: HostAddress, privateAddresses: boolean): boolean {
  if (family === 4) {
    if (privateV4.check(address, 'ipv4')) return privateAddresses;
    return !specialV4.check(address, 'ipv4');
  }
  if (family !== 6 || address.includes('%') || address.includes('.')) return false;
  if (privateV6.check(address, 'ipv6')) return privateAddresses;
  return globalV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
}

const connectMs = 10_000;
const addressesMax = 4;

/** @returns one that nothing was read from; null: none of them takes a connection */
export async function connectToOne(
  addresses: readonly HostAddress[],
  port: number,
  signal: AbortSignal,
): Promise<Socket | null> {
  for (const { address } of addresses.slice(0, addressesMax)) {
    if (signal.aborted) return null;
    const socket = await connected(
      address,
      port,
      AbortSignal.any([signal, AbortSignal.timeout(connectMs)]),
    );
    if (socket !== null) return socket;
  }
  return null;
}

function connected(host: string, port: number, signal: AbortSignal): Promise<Socket | null> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    // Whoever is given it reads from it, from the first byte on.
    socket.pause();
    const give = (whether: boolean) => {
      signal.removeEventListener('abort', giveUp);
      if (!whether) socket.destroy();
      done(whether ? socket : null);
    };
    const giveUp = () => give(false);
    socket.once('connect', () => give(true));
    socket.on('error', giveUp);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}
