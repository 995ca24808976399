/** IPv4 subnets as ranges of addresses. Texts come checked: `10.20.0.0/24`, be it its first address or not. */

export interface Subnet {
  readonly first: number;
  readonly last: number;
}

/** Without a prefix it is one address. Of one inside the subnet it is the subnet. */
export function subnetOf(cidr: string): Subnet {
  const [address = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const first = number - (number % size);
  return { first, last: first + size - 1 };
}

export function addressesIn({ first, last }: Subnet): number {
  return last - first + 1;
}

/** How many addresses are in both. */
export function sharedAddresses(a: Subnet, b: Subnet): number {
  return Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
}

export function isWithin(inner: Subnet, outer: Subnet): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
