/**
 * Everything that happens in the daemon, as one closed union. One file turns these into log lines,
 * one into metrics, one into terminal text; nothing else logs.
 */
import type { Block } from '../diff/change.ts';
import type { StopReason } from '../model/domain.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import type { OperationKind } from '../plan/operation.ts';
import type { ConditionStatus, ConditionType } from './condition.ts';
import type { FetchFailureCode } from './fetch-failure.ts';
import type { RefusalCode, SubmissionSource } from './submission.ts';

/** Why a pass runs. */
export const WAKE_REASONS = [
  'started', // the daemon, or the partition in it
  'documents', // another bundle was accepted
  'host-event', // libvirt pushed an event
  'host-files', // libvirt's own files changed
  'host-back', // the connection was made again
  'retry', // the wait after a failure is over
  'verify', // the last pass has changed something
  'resync', // the periodic look
  'request', // a person asked
  'hold-over', // a pause has expired, or a start has waited long enough
  'partition', // the operator's description changed
  'host-fit', // its host has room for it now, or has not
  'fetch', // an Image has come, or has not, or has got on
] as const;
export type WakeReason = (typeof WAKE_REASONS)[number];

export type OutcomeWord = 'applied' | 'already' | 'failed' | 'skipped' | 'cancelled';

/** What drift a pass has found, by class: a field that somebody changed, a guest that is not on ... */
export type DriftClass =
  | 'missing'
  | 'power'
  | 'definition'
  | 'extra'
  | 'storage'
  | 'network'
  | 'filter'
  | 'slice';

/** Why somebody on the channel is not listened to. */
export type StrangerReason =
  | 'UnprivilegedPort' // anybody in the VM could have opened it
  | 'UnknownCid' // no running Primary with a channel has that address
  | 'TooMany' // of that address, before it is known whose it is
  | 'HostUnknown' // whose it is could not be read, or that it was heard not be written down
  | 'NoHeartbeat'; // what it has said is none, or it has said nothing in time

export type DaemonEvent =
  | { readonly kind: 'daemon-started'; readonly version: string }
  | { readonly kind: 'daemon-stopping' }
  | { readonly kind: 'host-lost'; readonly message: string }
  | { readonly kind: 'host-back' }
  /** @see PrimaryChannel */
  | { readonly kind: 'channel-open'; readonly port: number }
  | { readonly kind: 'channel-unavailable'; readonly message: string }
  | {
      readonly kind: 'channel-refused';
      readonly cid: number;
      readonly reason: StrangerReason;
      /** Since it was told last. */
      readonly times: number;
    }
  /** @see Heartbeats */
  | { readonly kind: 'heartbeats-open'; readonly port: number }
  | { readonly kind: 'heartbeats-unavailable'; readonly message: string }
  | {
      readonly kind: 'heartbeat-refused';
      readonly cid: number;
      readonly reason: StrangerReason;
      /** Since it was told last. */
      readonly times: number;
    }
  | { readonly kind: 'audit-not-written'; readonly message: string }
  /** What guests write is not kept. */
  | {
      readonly kind: 'console-not-kept';
      readonly partition: PartitionName;
      readonly message: string;
    }
  | {
      readonly kind: 'config-problem';
      readonly code: string;
      readonly message: string;
    }
  | PartitionEvent;

export type PartitionEvent = { readonly partition: PartitionName } & (
  | { readonly kind: 'partition-added' }
  | { readonly kind: 'partition-removed' }
  | {
      readonly kind: 'submission-accepted';
      readonly generation: number;
      readonly source: SubmissionSource;
      readonly submitter: string;
      readonly documents: number;
    }
  | {
      readonly kind: 'submission-refused';
      readonly source: SubmissionSource;
      readonly submitter: string;
      readonly code: RefusalCode;
      readonly message: string;
    }
  | { readonly kind: 'bundle-torn'; readonly generation: number; readonly message: string }
  | { readonly kind: 'worker-failed'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'fetch-failed';
      readonly image: ImageName;
      readonly code: FetchFailureCode;
      readonly message: string;
      /** Until the next try; null: there is none by itself. */
      readonly waitMs: number | null;
    }
  /** What its Primary has said of its disk is forgotten: nothing is taken off that before it is said again. */
  | {
      readonly kind: 'hand-over-dropped';
      readonly image: ImageName;
      readonly code: Block['code'];
      readonly message: string;
    }
  | { readonly kind: 'pass-started'; readonly because: readonly WakeReason[] }
  | {
      readonly kind: 'pass-finished';
      readonly because: readonly WakeReason[];
      readonly durationMs: number;
      readonly operations: number;
      readonly failed: number;
      readonly blocked: number;
      readonly drift: readonly DriftClass[];
    }
  | {
      readonly kind: 'pass-failed';
      readonly because: readonly WakeReason[];
      readonly message: string;
    }
  | {
      readonly kind: 'operation-finished';
      readonly operation: OperationKind;
      readonly resource: { readonly kind: ResourceKind; readonly name: string } | null;
      readonly outcome: OutcomeWord;
      readonly durationMs: number;
      /** How it was done, such as which step of a stop has worked; or why it failed. Else empty. */
      readonly detail: string;
    }
  | {
      readonly kind: 'condition-changed';
      /** Null: of the partition itself. */
      readonly secondary: SecondaryName | null;
      readonly type: ConditionType;
      readonly status: ConditionStatus;
      readonly reason: string;
      readonly message: string;
    }
  /** Besides those that were told one by one: so many at once that nobody would read them all. */
  | { readonly kind: 'conditions-changed'; readonly count: number }
  | {
      readonly kind: 'guest-ended';
      readonly secondary: SecondaryName;
      /** As far as libvirt remembers; it was not us. */
      readonly reason: StopReason;
      /** How often in a row, each soon after its start. */
      readonly times: number;
      /** How long its next start waits; 0: it does not. */
      readonly waitMs: number;
    }
  | {
      readonly kind: 'requested';
      readonly action: string;
      readonly secondary: SecondaryName | null;
      readonly submitter: string;
      readonly message: string;
    }
  | { readonly kind: 'retry-planned'; readonly attempt: number; readonly waitMs: number }
  | { readonly kind: 'gave-up'; readonly attempts: number; readonly message: string }
  | { readonly kind: 'status-not-written'; readonly message: string }
);

/** One that has happened, in the order of happening. */
export interface EventRecord {
  /** From 1, rising by one for as long as the daemon runs. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly event: DaemonEvent;
}

export type Emit = (event: DaemonEvent) => void;
