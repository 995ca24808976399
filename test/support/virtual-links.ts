/** Interfaces in memory, as a kernel keeps them, and what others in the machine do to them. */
import { HostError } from '../../src/host/host-error.ts';
import type { Link, LinkRoute, Links } from '../../src/host/links.ts';
import { subnetOf } from '../../src/model/subnet.ts';

export interface VirtualLink extends Link {
  name: string;
  isUp: boolean;
  isStacked: boolean;
  master: string | null;
  note: string;
  addresses: { cidr: string; isLeased: boolean }[];
}

export interface VirtualLinks extends Links {
  /** A new one, with an index of its own. */
  come(name: string, mac: string): VirtualLink;
  go(name: string): void;
  link(name: string): VirtualLink;
  readonly all: VirtualLink[];
  /** Beside those that addresses make. */
  readonly routesBeside: LinkRoute[];
  /** Each thing that was written: `add eth1 10.20.0.7/24`. */
  readonly writes: string[];
  /** Thrown by what comes next; null: by nothing. */
  failure: HostError | null;
  /** Runs before each write. */
  before: (write: string) => void;
}

export function virtualLinks(): VirtualLinks {
  let lastIndex = 1;
  const all: VirtualLink[] = [];
  const link = (name: string): VirtualLink => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) throw new HostError('Refused', `running ip: no device ${name}`);
    return found;
  };
  const write = (text: string, name: string): VirtualLink => {
    if (links.failure !== null) throw links.failure;
    links.before(text);
    const found = link(name);
    links.writes.push(text);
    return found;
  };
  const links: VirtualLinks = {
    all,
    writes: [],
    routesBeside: [],
    failure: null,
    before: () => undefined,
    come: (name, mac) => {
      lastIndex += 1;
      const fresh = { index: lastIndex, name, mac, isUp: false, isStacked: false, master: null };
      const made = { ...fresh, note: '', addresses: [] };
      all.push(made);
      return made;
    },
    go: (name) => void all.splice(all.indexOf(link(name)), 1),
    link,
    list: async () => {
      if (links.failure !== null) throw links.failure;
      return structuredClone(all);
    },
    routes: async () => [
      ...links.routesBeside,
      ...all.flatMap(({ name, isUp, addresses }) =>
        isUp ? addresses.map(({ cidr }) => ({ to: networkOf(cidr), link: name })) : [],
      ),
    ],
    bringUp: async (name) => void (write(`up ${name}`, name).isUp = true),
    note: async (name, note) => void (write(`note ${name} ${note}`, name).note = note),
    addAddress: async (name, cidr) => {
      const { addresses } = write(`add ${name} ${cidr}`, name);
      if (addresses.some((each) => each.cidr === cidr)) {
        throw new HostError('Refused', 'running ip address');
      }
      addresses.push({ cidr, isLeased: false });
    },
    removeAddress: async (name, cidr) => {
      const { addresses } = write(`remove ${name} ${cidr}`, name);
      const at = addresses.findIndex((each) => each.cidr === cidr);
      if (at < 0) throw new HostError('Refused', 'running ip address');
      const same = (other: { readonly cidr: string }) => networkOf(other.cidr) === networkOf(cidr);
      // The kernel's rule: with the first of a subnet all others of it go.
      const isFirst = addresses.findIndex(same) === at;
      const stay = addresses.filter((each, index) => index !== at && !(isFirst && same(each)));
      addresses.splice(0, addresses.length, ...stay);
    },
  };
  return links;
}

function networkOf(cidr: string): string {
  const { first } = subnetOf(cidr);
  const octets = [24, 16, 8, 0].map((bits) => Math.floor(first / 2 ** bits) % 256);
  return `${octets.join('.')}/${cidr.split('/')[1]}`;
}
