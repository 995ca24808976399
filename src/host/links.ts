/**
 * The network interfaces of a machine, as its kernel has them: what the agent sees and does of those in its
 * Primary. IPv4 only, since a partition's network has nothing else.
 */
export interface Link {
  /** Another one with each interface that comes, also where it is called as one before. */
  readonly index: number;
  readonly name: string;
  /** In lower case. */
  readonly mac: string;
  /** Whether it is switched on, whatever its cable says. */
  readonly isUp: boolean;
  /** It is made over others, whose MAC address it may have: a bridge, a bond, a VLAN. */
  readonly isStacked: boolean;
  /** The bridge or bond that it is a port of; null: none. */
  readonly master: string | null;
  /** What somebody has written on it (`ip link set alias`), for as long as it is there; empty: nothing. */
  readonly note: string;
  readonly addresses: readonly LinkAddress[];
}

export interface LinkAddress {
  /** With the prefix of what is reached by it: `10.20.0.7/24`. */
  readonly cidr: string;
  /** It ends unless somebody renews it, as one of DHCP does. */
  readonly isLeased: boolean;
}

export interface LinkRoute {
  /** `10.20.0.0/24`, or one address. */
  readonly to: string;
  /** By which interface; null: by several, or by none. */
  readonly link: string | null;
}

/** Each rejects with a `HostError` and nothing else. What is written is as `list` tells it the next time. */
export interface Links {
  list(signal: AbortSignal): Promise<readonly Link[]>;
  /** Of the main table, but for default routes. */
  routes(signal: AbortSignal): Promise<readonly LinkRoute[]>;
  bringUp(link: string, signal: AbortSignal): Promise<void>;
  /** @param note empty: none */
  note(link: string, note: string, signal: AbortSignal): Promise<void>;
  /** Also makes the route to its prefix, and no other. One that is there is refused. */
  addAddress(link: string, cidr: string, signal: AbortSignal): Promise<void>;
  /** One that is not there is refused. */
  removeAddress(link: string, cidr: string, signal: AbortSignal): Promise<void>;
}
