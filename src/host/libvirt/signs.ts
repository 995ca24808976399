/**
 * Which of libvirt's events say that something may have drifted, and what they are called here. Not
 * a balloon that moves, which it does all the time in a guest that frees memory by itself, and not
 * a guest that reboots: it is the same run of the same domain.
 */
import type { EventKind, EventOf } from '../../libvirt/index.ts';
import { domainUuid } from '../../model/identity.ts';
import type { DomainSign, HostSign } from '../ports.ts';

export const signKinds = [
  'lifecycle',
  'device-added',
  'device-removed',
  'tunable',
  'metadata-change',
  'agent-lifecycle',
  'network-lifecycle',
] as const satisfies readonly EventKind[];

export type SignEvent = EventOf<(typeof signKinds)[number]>;

/** Null for a domain whose UUID is none. */
export function signFrom(event: SignEvent): HostSign | null {
  if (event.kind === 'network-lifecycle') {
    return { kind: 'network', networkName: event.network.name };
  }
  const uuid = domainUuid(event.domain.uuid);
  if (uuid === undefined) return null;
  return { kind: 'domain', domainName: event.domain.name, uuid, event: wordFor(event) };
}

function wordFor(event: Exclude<SignEvent, { kind: 'network-lifecycle' }>): DomainSign {
  switch (event.kind) {
    case 'lifecycle':
      return event.event;
    case 'device-added':
    case 'device-removed':
      return 'device';
    case 'tunable':
      return 'tunable';
    case 'metadata-change':
      return 'metadata';
    case 'agent-lifecycle':
      return 'agent';
  }
}
