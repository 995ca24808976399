import { nameOf } from './named.ts';

/** What a domain is doing, and why; in libvirt's words, by libvirt's numbers. */
const stateNames = [
  'no-state',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shutoff',
  'crashed',
  'pm-suspended',
] as const;

/** `shutdown` is on the way down, `shutoff` is off. `unknown` is newer than this library. */
export type DomainStateName = (typeof stateNames)[number] | 'unknown';

export interface DomainState {
  readonly state: DomainStateName;
  readonly reason: string;
}

const reasonNames: Readonly<Record<DomainStateName, readonly string[]>> = {
  'no-state': [],
  running: [
    'unknown',
    'booted',
    'migrated',
    'restored',
    'from-snapshot',
    'unpaused',
    'migration-canceled',
    'save-canceled',
    'wakeup',
    'crashed',
    'postcopy',
    'postcopy-failed',
  ],
  blocked: [],
  paused: [
    'unknown',
    'user',
    'migration',
    'save',
    'dump',
    'io-error',
    'watchdog',
    'from-snapshot',
    'shutting-down',
    'snapshot',
    'crashed',
    'starting-up',
    'postcopy',
    'postcopy-failed',
    'api-error',
  ],
  shutdown: ['unknown', 'user'],
  shutoff: [
    'unknown',
    'shutdown',
    'destroyed',
    'crashed',
    'migrated',
    'saved',
    'failed',
    'from-snapshot',
    'daemon',
  ],
  crashed: ['unknown', 'panicked'],
  'pm-suspended': [],
  unknown: [],
};

export function domainStateName(state: number): DomainStateName {
  return nameOf(stateNames, state);
}

/** Names a state and its reason, as they come from `domains.state` or in statistics. */
export function domainState(state: number, reason: number): DomainState {
  const name = domainStateName(state);
  return { state: name, reason: nameOf(reasonNames[name], reason) };
}
