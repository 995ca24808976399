/** One event of each kind, so that a test can go through them all; the compiler finds a missing one. */
import type { DaemonEvent } from '../../../../src/report/event.ts';
import type { ImageName, PartitionName, SecondaryName } from '../../../../src/model/names.ts';

type ByKind = { readonly [K in DaemonEvent['kind']]: Extract<DaemonEvent, { kind: K }> };

export const partition = 'team-a' as PartitionName;
const web = 'web' as SecondaryName;
const of = { partition } as const;
const submitted = { source: 'Apply', submitter: 'uid 0' } as const;

export const everyEvent: ByKind = {
  'daemon-started': { kind: 'daemon-started', version: '1.2.3' },
  'daemon-stopping': { kind: 'daemon-stopping' },
  'host-lost': { kind: 'host-lost', message: 'libvirtd closed the connection' },
  'host-back': { kind: 'host-back' },
  'channel-open': { kind: 'channel-open', port: 1021 },
  'channel-unavailable': { kind: 'channel-unavailable', message: 'this machine has no AF_VSOCK' },
  'channel-refused': { kind: 'channel-refused', cid: 7, reason: 'UnknownCid', times: 3 },
  'heartbeats-open': { kind: 'heartbeats-open', port: 9000 },
  'heartbeats-unavailable': { kind: 'heartbeats-unavailable', message: 'no AF_VSOCK' },
  'heartbeat-refused': { kind: 'heartbeat-refused', cid: 7, reason: 'NoHeartbeat', times: 3 },
  'audit-not-written': { kind: 'audit-not-written', message: 'the disk is full' },
  'console-not-kept': { kind: 'console-not-kept', ...of, message: 'the disk is full' },
  'config-problem': { kind: 'config-problem', code: 'Missing', message: 'no folder' },
  'partition-added': { kind: 'partition-added', ...of },
  'partition-removed': { kind: 'partition-removed', ...of },
  'submission-accepted': {
    kind: 'submission-accepted',
    ...of,
    ...submitted,
    generation: 3,
    documents: 2,
  },
  'submission-refused': {
    kind: 'submission-refused',
    ...of,
    ...submitted,
    code: 'Invalid',
    message: 'no such field',
  },
  'bundle-torn': { kind: 'bundle-torn', ...of, generation: 4, message: 'cut off' },
  'fetch-failed': {
    kind: 'fetch-failed',
    partition,
    image: 'debian' as ImageName,
    code: 'FetchFailed',
    message: 'images.example.org: it has answered 503',
    waitMs: 1000,
  },
  'hand-over-dropped': {
    kind: 'hand-over-dropped',
    partition,
    image: 'debian' as ImageName,
    code: 'ImageInUse',
    message: 'web runs with the bytes that it has',
  },
  'worker-failed': { kind: 'worker-failed', ...of, code: 'Hung', message: 'no answer' },
  'pass-started': { kind: 'pass-started', ...of, because: ['documents'] },
  'pass-finished': {
    kind: 'pass-finished',
    ...of,
    because: ['documents'],
    durationMs: 20,
    operations: 1,
    failed: 0,
    blocked: 0,
    drift: ['power'],
  },
  'pass-failed': { kind: 'pass-failed', ...of, because: ['retry'], message: 'no answer' },
  'operation-finished': {
    kind: 'operation-finished',
    ...of,
    operation: 'domain.start',
    resource: { kind: 'secondary', name: 'web' },
    outcome: 'applied',
    durationMs: 12,
    detail: '',
  },
  'condition-changed': {
    kind: 'condition-changed',
    ...of,
    secondary: web,
    type: 'Ready',
    status: 'True',
    reason: 'Running',
    message: '',
  },
  'conditions-changed': { kind: 'conditions-changed', ...of, count: 400 },
  'guest-ended': {
    kind: 'guest-ended',
    ...of,
    secondary: web,
    reason: 'crashed',
    times: 2,
    waitMs: 10_000,
  },
  requested: {
    kind: 'requested',
    ...of,
    action: 'restart',
    secondary: web,
    submitter: 'uid 0',
    message: '',
  },
  'retry-planned': { kind: 'retry-planned', ...of, attempt: 1, waitMs: 1000 },
  'gave-up': { kind: 'gave-up', ...of, attempts: 10, message: 'refused' },
  'status-not-written': { kind: 'status-not-written', ...of, message: 'the disk is full' },
};
