/** The machine's own IPv4 addresses, each with the prefix of what it reaches by it. */
import { networkInterfaces } from 'node:os';
import type { Runtime } from '../runtime.ts';

type Addresses = ReturnType<Runtime['addresses']>;

/** @throws Error if the kernel does not tell (netlink) */
export function machineAddresses(): Addresses {
  return Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
    all.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr !== null ? [{ name, cidr }] : [])),
  );
}
