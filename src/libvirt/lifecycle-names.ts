import type { DomainLifecycle } from './event-types.ts';

/** Names of the lifecycle events and, per event, of their details; by libvirt's numbers. */
export const lifecycleNames: readonly DomainLifecycle[] = [
  'defined',
  'undefined',
  'started',
  'suspended',
  'resumed',
  'stopped',
  'shutdown',
  'pm-suspended',
  'crashed',
];

export const lifecycleDetailNames: Readonly<Record<DomainLifecycle, readonly string[]>> = {
  defined: ['added', 'updated', 'renamed', 'from-snapshot'],
  undefined: ['removed', 'renamed'],
  started: ['booted', 'migrated', 'restored', 'from-snapshot', 'wakeup'],
  suspended: [
    'paused',
    'migrated',
    'io-error',
    'watchdog',
    'restored',
    'from-snapshot',
    'api-error',
    'postcopy',
    'postcopy-failed',
  ],
  resumed: ['unpaused', 'migrated', 'from-snapshot', 'postcopy', 'postcopy-failed'],
  stopped: ['shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from-snapshot'],
  shutdown: ['finished', 'guest', 'host'],
  'pm-suspended': ['memory', 'disk'],
  crashed: ['panicked', 'crash-loaded'],
  unknown: [],
};
