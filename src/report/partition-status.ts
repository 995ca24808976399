/**
 * What is true of a partition and of each of its Secondaries, in the form that status files and the
 * API show. Everything is plain data: it survives JSON unchanged.
 */
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { Amounts } from '../partition/amounts.ts';
import type { Condition } from './condition.ts';
import type { PrimaryNic } from './primary-nic.ts';

/** Argo CD's two questions. Does the host have what the documents ask for? */
export const SYNC_WORDS = ['Synced', 'OutOfSync', 'Blocked', 'Unknown'] as const;
export type SyncWord = (typeof SYNC_WORDS)[number];

/** And is what is there well? What is declared stopped, and is, is healthy. */
export const HEALTH_WORDS = ['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Unknown'] as const;
export type HealthWord = (typeof HEALTH_WORDS)[number];

/** One closed word for a row of a table. */
export const STATUS_WORDS = [
  'Pending', // wanted, and not there yet
  'Starting', // it runs, and is not ready yet
  'Running',
  'Paused', // its guest is suspended
  'Stopping',
  'Stopped',
  'Crashed',
  'CrashLoop', // it ends again and again, and its next start waits
  'Blocked', // something forbids what its document asks for
  'Deleting', // no document speaks of it any more
  'Unknown', // it could not be read
] as const;
export type StatusWord = (typeof STATUS_WORDS)[number];

export interface SecondaryReport {
  readonly name: SecondaryName;
  readonly status: StatusWord;
  readonly sync: SyncWord;
  readonly health: HealthWord;
  /** libvirt's name and UUID of its domain; null: there is none, or it is not known. */
  readonly domain: string | null;
  readonly uuid: string | null;
  /** The one that the network keeps for it; null: it has none. */
  readonly address: string | null;
  readonly vcpus: number | null;
  readonly memoryBytes: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly conditions: readonly Condition[];
}

/** How far an Image is. */
export const IMAGE_PHASES = [
  'Pending', // its bytes are not there yet
  'Importing', // they are, and are looked into
  'Ready',
  'Rejected', // they are not what its document says, or nothing that a guest may run on
  'Blocked', // something else forbids it
] as const;
export type ImagePhase = (typeof IMAGE_PHASES)[number];

/** Of all but Secondaries, as the last pass has left it. */
export interface ResourceReport {
  readonly kind:
    | 'primary'
    | 'slice'
    | 'network'
    | 'filter'
    | 'nic'
    | 'image-disk'
    | 'intake'
    | 'image'
    | 'seed'
    | 'volume';
  readonly name: string;
  readonly sync: SyncWord;
  /** Why it is blocked or unknown, or how it has failed; empty otherwise. */
  readonly message: string;
  /** Of an Image that is wanted; null: of anything else. */
  readonly phase: ImagePhase | null;
}

/** What was done last. */
export interface PassReport {
  /** When it ended: ISO 8601, UTC. */
  readonly at: string;
  /** What has woken it, in order of coming; the closed words of `WakeReason`. */
  readonly because: readonly string[];
  readonly durationMs: number;
  readonly applied: number;
  readonly already: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  /** One line for each failure, as a person reads it. */
  readonly failures: readonly string[];
}

/** What the partition has by now. */
export interface Usage {
  readonly secondaries: number;
  readonly runningVcpus: number;
  readonly runningMemoryBytes: number;
  readonly storageBytes: number;
  /** As it counts towards the limits: memory with what each virtual machine needs besides. */
  readonly allocated: Amounts;
  /** What of that the Primary has; null: there is none, or it is not known. */
  readonly primary: Amounts | null;
  /** What it may have at most; null: nothing limits it. */
  readonly limits: Amounts | null;
}

export interface PartitionStatus {
  readonly apiVersion: 'unnest.dev/v1';
  readonly kind: 'PartitionStatus';
  readonly partition: PartitionName;
  /** Of the accepted documents; 0: none yet. */
  readonly generation: number;
  /** Of those that the last look was about (Kubernetes' term); what is below speaks of these. */
  readonly observedGeneration: number;
  /** `sha256:` of the accepted ones; empty: none yet. */
  readonly digest: string;
  readonly sync: SyncWord;
  readonly health: HealthWord;
  readonly conditions: readonly Condition[];
  readonly secondaries: readonly SecondaryReport[];
  readonly resources: readonly ResourceReport[];
  readonly usage: Usage;
  /** What unnest has given the Primary on the partition's network. */
  readonly primaryNic: PrimaryNic;
  readonly lastPass: PassReport | null;
  /** When it is tried again without anybody doing anything: ISO 8601, UTC; null: not planned. */
  readonly nextTryAt: string | null;
}
