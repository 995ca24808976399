/**
 * What is to be done about the Primary's NIC, decided by what is there and by nothing that is remembered. An address of
 * ours is one that our note on its interface names: the note goes with the interface, and outlives
 * the agent. What nobody has noted is somebody else's, and neither taken away nor added to.
 */
import type { Link, LinkRoute } from '../../host/links.ts';
import { sharedAddresses, subnetOf } from '../../model/subnet.ts';
import type { LeftAloneCode, NicSaid } from './nic-said.ts';
import type { NicKnown, PluggedNic } from './nic-wanted.ts';

export type NicAct =
  | { readonly kind: 'note'; readonly link: string; readonly note: string }
  | { readonly kind: 'add' | 'remove'; readonly link: string; readonly cidr: string }
  | { readonly kind: 'up'; readonly link: string };

/** Who configures an interface here, besides the agent. */
export type LinkManager =
  | { readonly status: 'none' }
  /** It may be about to. */
  | { readonly status: 'deciding'; readonly by: string }
  | { readonly status: 'managed'; readonly by: string; readonly remedy: string };

export interface NicSeen {
  readonly links: readonly Link[];
  readonly routes: readonly LinkRoute[];
  /** Of the interface that it is, if there is one. */
  readonly manager: LinkManager;
  /** Whether it has been there for a while. */
  readonly isSettled: boolean;
}

export interface NicDecision {
  readonly acts: readonly NicAct[];
  /** What is true once that is done. */
  readonly said: NicSaid;
}

/** Those that may be it: what is made over it may have its MAC address too. */
export function linksOf({ mac }: PluggedNic, links: readonly Link[]): readonly Link[] {
  return links.filter((link) => link.mac === mac && !link.isStacked);
}

export function decideNic(wanted: NicKnown, seen: NicSeen): NicDecision {
  const nic = wanted.status === 'plugged' ? wanted : null;
  const strays = seen.links.filter((link) => isStray(link, nic));
  const stuck = strays.find((link) => !canGo(link));
  const acts = strays.filter(canGo).flatMap(takenBack);
  if (nic === null) {
    return { acts, said: stuck === undefined ? { status: 'none' } : stuckOn(stuck) };
  }
  const [link, ...others] = linksOf(nic, seen.links);
  if (link === undefined) {
    const message = `no interface here has the MAC address ${nic.mac}: the guest has not found it yet, or lacks its driver (virtio_net)`;
    return { acts, said: { status: 'missing', mac: nic.mac, message } };
  }
  if (others.length > 0) {
    const names = [link, ...others].map(({ name }) => name).join(' and ');
    return { acts, said: leftAlone(link, 'Ambiguous', `${names} have the MAC address ${nic.mac}`) };
  }
  if (stuck === link) return { acts, said: stuckOn(link) };
  const placed = placeOn(link, nic, seen);
  return { acts: [...acts, ...placed.acts], said: placed.said };
}

function placeOn(link: Link, { cidr }: PluggedNic, seen: NicSeen): NicDecision {
  const objection = objectionTo(link, cidr, seen);
  if (objection !== null) return { acts: [], said: objection };
  const { name } = link;
  const isThere = link.addresses.some((each) => each.cidr === cidr);
  const up: readonly NicAct[] = link.isUp ? [] : [{ kind: 'up', link: name }];
  const said = { status: 'configured', interface: name, address: cidr } as const;
  if (isThere) return { acts: up, said };
  // The note first: an address that a crash leaves behind without one would be nobody's.
  const note = { kind: 'note', link: name, note: noteOf(cidr) } as const;
  const noted: readonly NicAct[] = link.note === note.note ? [] : [note];
  return { acts: [...noted, { kind: 'add', link: name, cidr }, ...up], said };
}

/** Null: it is ours to configure. */
function objectionTo(link: Link, cidr: string, seen: NicSeen): NicSaid | null {
  const { name, master, note } = link;
  const { manager, isSettled, routes } = seen;
  if (manager.status === 'managed') {
    return leftAlone(link, 'Managed', `${manager.by} configures ${name}: ${manager.remedy}`);
  }
  if (master !== null) return leftAlone(link, 'Port', `${name} is a port of ${master}`);
  if (note !== '' && notedOn(link) === null) {
    const message = `${name} carries a note of somebody else's (ip link set alias), ${JSON.stringify(note)}, where the agent writes its own`;
    return leftAlone(link, 'Noted', message);
  }
  if (ownOn(link) === cidr) return null;
  const [theirs] = foreignOn(link);
  if (theirs !== undefined) {
    const isIt = theirs.cidr === cidr ? ', which is the right one' : `, and not ${cidr}`;
    const message = `somebody else has given ${name} the address ${theirs.cidr}${isIt}`;
    return leftAlone(link, 'Addressed', message);
  }
  const route = routes.find((each) => each.link !== name && overlaps(each.to, cidr));
  if (route !== undefined) {
    const by = route.link === null ? 'a route of its own' : route.link;
    const message = `this machine reaches ${route.to} by ${by}, and ${cidr} would take some of that over: the operator of the host can give the partition another network (spec.network.cidr)`;
    return leftAlone(link, 'Overlaps', message);
  }
  if (manager.status === 'deciding' || !isSettled) {
    const who = manager.status === 'deciding' ? manager.by : 'whoever else configures interfaces';
    return {
      status: 'waiting',
      interface: name,
      message: `${name} has just come: ${who} goes first`,
    };
  }
  return null;
}

const noteOf = (cidr: string) => `unnest ${cidr}`;

/** The address that our note on it names; null: none of ours is on it. */
function notedOn({ note }: Link): string | null {
  return /^unnest (\d+(?:\.\d+){3}\/\d+)$/.exec(note)?.[1] ?? null;
}

/** One that is renewed by somebody is theirs by now. */
function ownOn(link: Link): string | null {
  const noted = notedOn(link);
  return link.addresses.some(({ cidr, isLeased }) => cidr === noted && !isLeased) ? noted : null;
}

function foreignOn(link: Link): Link['addresses'] {
  const own = ownOn(link);
  return link.addresses.filter(({ cidr }) => cidr !== own);
}

/** It bears our note, and not of what is wanted now. */
function isStray(link: Link, nic: PluggedNic | null): boolean {
  const noted = notedOn(link);
  return noted !== null && (nic === null || link.mac !== nic.mac || noted !== nic.cidr);
}

/** With the first address of a subnet the kernel takes all others of it away. */
function canGo(link: Link): boolean {
  const own = ownOn(link);
  return own === null || foreignOn(link).every(({ cidr }) => !overlaps(cidr, own));
}

function takenBack(link: Link): readonly NicAct[] {
  const own = ownOn(link);
  const gone: readonly NicAct[] =
    own === null ? [] : [{ kind: 'remove', link: link.name, cidr: own }];
  return [...gone, { kind: 'note', link: link.name, note: '' }];
}

function stuckOn(link: Link): NicSaid {
  const [theirs] = foreignOn(link);
  const message = `the agent's address ${ownOn(link)} on ${link.name} is not wanted any more, and stays: ${theirs?.cidr}, which somebody else has given it, would go with it`;
  return leftAlone(link, 'Addressed', message);
}

function leftAlone(link: Link, code: LeftAloneCode, message: string): NicSaid {
  return { status: 'left-alone', interface: link.name, code, message };
}

function overlaps(a: string, b: string): boolean {
  return sharedAddresses(subnetOf(a), subnetOf(b)) > 0;
}
