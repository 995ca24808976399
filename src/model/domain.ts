/**
 * The part of a libvirt domain that unnest manages, as one flat record of scalars: what a
 * Secondary asks for and what the host has are both brought into this form, and only this form is
 * compared. Whatever else a domain's XML holds is the host's and is kept as it is.
 */
import type { DomainUuid, InstallationId, Owner } from './identity.ts';
import type { ObservedFilter } from './filter.ts';
import type { ObservedImageDisk } from './image-disk.ts';
import type { ObservedIntake } from './intake.ts';
import {
  byName,
  type FileName,
  type ImageName,
  type PartitionName,
  type SecondaryName,
  type VolumeName,
} from './names.ts';
import type { Observation } from './observation.ts';
import type { ObservedNetwork } from './network.ts';
import type { Secondary } from './secondary.ts';
import { digestIn, type ObservedSeed, type SeedForm, type SeedName } from './seed.ts';
import type { ObservedSlice } from './slice.ts';
import type { ObservedPrimary } from './primary.ts';
import type { NicWay } from './uplink.ts';
import type { VolumeStore } from './thin-pool.ts';
import type { CidUse } from './vsock.ts';
import { joinUses, type ObservedImage, type ObservedVolume } from './volume.ts';

/**
 * Files are names in the partition's store. A path outside the store, which only somebody else
 * can have put there, is kept whole, so that it differs from every name. `null`: not there.
 */
export interface DomainFields extends HardwareFields, PolicyFields {}

/** What libvirt knows and acts on. */
export interface HardwareFields {
  readonly vcpus: number;
  /** How many a running guest could be given without a restart. */
  readonly vcpusMax: number;
  readonly memoryBytes: number;
  /** How far memory could grow without a restart. */
  readonly memoryMaxBytes: number;
  readonly kernel: string | null;
  readonly initrd: string | null;
  /** The Images that it is booted with in the place of files, by their names. */
  readonly kernelImage: string | null;
  readonly initrdImage: string | null;
  readonly commandLine: string | null;
  readonly disk: string | null;
  readonly diskFormat: string | null;
  /** The Volume that it boots from, as `joinUses` writes it. */
  readonly bootVolume: string | null;
  /** Further Volumes, in their order, as `joinUses` writes them; empty: none. */
  readonly volumes: string;
  /** The digest of its cloud-init seed, or whatever else somebody has put there. */
  readonly cloudInit: string | null;
  /** The same of its Ignition configuration. */
  readonly ignition: string | null;
  /** `None`, `Partition`, or whatever else somebody has put there. */
  readonly network: string;
  /** `None`, `Partition`, or another partition's slice that somebody has put it into. */
  readonly slice: string;
  readonly serialConsole: boolean;
  /** Whether it has a channel for a guest agent. */
  readonly guestAgent: boolean;
  /** `None`, `Heartbeat` (a vsock device with its own address), or another address that somebody gave it. */
  readonly vsock: string;
}

/**
 * What only unnest knows and acts on. It stands in our mark on the domain, so that it still holds
 * when the document is gone, and can be shown and exported without one.
 */
export interface PolicyFields {
  readonly runPolicy: string;
  readonly updatePolicy: string;
  readonly stopGraceMs: number;
  readonly forceStop: boolean;
  readonly protect: boolean;
  /** `a=1,b=2`, ordered by key: a scalar, so that it compares like every other field. */
  readonly labels: string;
  /** Names with commas between, in their order. */
  readonly startAfter: string;
  readonly readiness: string;
  readonly readinessPort: number | null;
}

export type FieldName = keyof DomainFields;
export type FieldValue = DomainFields[FieldName];

/**
 * A digest of a domain's definition, without our note of a stop: two equal ones mean that nobody
 * wrote in between.
 */
export type Fingerprint = string;

/** Why a domain is not running, as far as libvirt remembers (it forgets when it restarts). */
export type StopReason = 'guest-shutdown' | 'powered-off' | 'crashed' | 'failed' | 'unknown';

export type Power =
  | { readonly status: 'running' }
  | { readonly status: 'paused' }
  | { readonly status: 'stopping' }
  | { readonly status: 'stopped'; readonly reason: StopReason };

export interface DomainRef {
  readonly uuid: DomainUuid;
  readonly domainName: string;
}

/** What a running guest takes of its host. */
export interface GuestUsage {
  /** Of CPU time, since it was started. */
  readonly cpuUs: number;
  /** What its process has of the host's memory; null: its host does not know. */
  readonly memoryBytes: number | null;
}

export interface ObservedDomain extends DomainRef {
  /** Null: no mark of ours, so it is foreign whatever its name. */
  readonly owner: Owner | null;
  readonly power: Power;
  /** False for a transient domain: it has no definition and vanishes when it stops. */
  readonly persistent: boolean;
  /** What its next start will use. */
  readonly defined: DomainFields;
  /** What unnest last defined it as; null where nobody knows any more. */
  readonly lastApplied: DomainFields | null;
  /** What the running guest has; null when it does not run. */
  readonly live: DomainFields | null;
  /**
   * Whether its last stop was asked for by us. libvirt says "the guest shut down" either way, and
   * a guest that finished by itself is not run again where one that we stopped is.
   */
  readonly stopAsked: boolean;
  /** Whether its memory is saved (`virsh managedsave`): its next start goes on from there. */
  readonly saved: boolean;
  readonly fingerprint: Fingerprint;
  /**
   * Tells one run of the guest from its next; null when it does not run. libvirt's domain id, which
   * is not used twice as long as libvirtd runs: the same number after a restart of libvirtd may be
   * another run.
   */
  readonly runId: number | null;
  /** How many more devices can be plugged into its guest as it runs; 0 when it does not run. */
  readonly portsFree: number;
  readonly agent: AgentState;
  /** Which check this run of its guest has passed, as `checkOf` writes it; null: none. */
  readonly foundReady: string | null;
  /** Of a vsock device that somebody else has given it; null: there is none. */
  readonly foreignCid: number | null;
  /**
   * How much of translated code QEMU may keep for it beside its memory: of the running one, or of its
   * next start. 0 where the processor runs it.
   */
  readonly translationCacheBytes: number;
}

/** Of the guest agent (QEMU's), as far as the host knows. `none`: the guest runs without a channel for one, or does not run. */
export type AgentState = 'connected' | 'disconnected' | 'none';

/** `a=1,b=2`: neither `=` nor `,` can stand in a key, and in a value both are escaped. */
function joinLabels(labels: ReadonlyMap<string, string>): string {
  return [...labels]
    .sort(([a], [b]) => byName(a, b))
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(',');
}

/** The other way round. */
export function splitLabels(joined: string): ReadonlyMap<string, string> {
  const pairs = joined === '' ? [] : joined.split(',');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), decode(pair.slice(at + 1))];
    }),
  );
}

/** Somebody may have edited the mark; what does not decode is shown as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The fields that a Secondary asks for.
 * @param before what it has, for what no document speaks of
 */
export function fieldsOf(
  secondary: Secondary,
  before: Pick<DomainFields, 'slice'> | null = null,
): DomainFields {
  const { boot } = secondary;
  return {
    vcpus: secondary.vcpus,
    vcpusMax: secondary.vcpus,
    memoryBytes: secondary.memoryBytes,
    memoryMaxBytes: secondary.memoryBytes,
    kernel: boot.kind === 'kernel' ? boot.kernel : null,
    initrd: boot.kind === 'kernel' ? boot.initrd : null,
    kernelImage: boot.kind === 'kernelImage' ? boot.kernel : null,
    initrdImage: boot.kind === 'kernelImage' ? boot.initrd : null,
    commandLine: boot.kind === 'kernel' || boot.kind === 'kernelImage' ? boot.commandLine : null,
    disk: boot.kind === 'disk' ? boot.file : null,
    diskFormat: boot.kind === 'disk' ? boot.format : null,
    bootVolume: boot.kind === 'volume' ? joinUses([boot.use]) : null,
    volumes: joinUses(secondary.disks),
    cloudInit: seedDigest(secondary, 'cloud-init'),
    ignition: seedDigest(secondary, 'ignition'),
    network: secondary.network,
    slice: secondary.slice ?? before?.slice ?? 'None',
    serialConsole: secondary.serialConsole,
    guestAgent: secondary.guestAgent,
    vsock: secondary.readiness === 'Heartbeat' ? 'Heartbeat' : 'None',
    runPolicy: secondary.runPolicy,
    updatePolicy: secondary.updatePolicy,
    stopGraceMs: secondary.stopGraceMs,
    forceStop: secondary.forceStop,
    protect: secondary.protect,
    labels: joinLabels(secondary.labels),
    startAfter: secondary.startAfter.join(','),
    readiness: secondary.readiness,
    readinessPort: secondary.readinessPort,
  };
}

function seedDigest({ seed }: Secondary, form: SeedForm): string | null {
  return seed?.form === form ? digestIn(seed.name) : null;
}

/** What a new domain runs on. An existing one keeps what it has. */
export interface Platform {
  /** libvirt's `<domain type>`: `kvm` with hardware virtualisation, `qemu` without. */
  readonly domainType: string;
  /** libvirt expands it to a version and keeps that; null leaves it to libvirt. */
  readonly machine: string | null;
}

/** All that `domain.define` needs: who it is, and what it is to be. */
export interface DomainDefinition extends DomainRef {
  readonly owner: Owner;
  readonly fields: DomainFields;
  readonly platform: Platform;
}

/** What a host has altogether, whoever uses it. */
export interface HostSize {
  /** As many as are online. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface HostFacts extends HostSize {
  readonly platform: Platform;
}

/** One look at the host, for one partition. */
export interface Observed {
  readonly partition: PartitionName;
  readonly installation: InstallationId;
  /** False until the first `apply` has recorded the id. */
  readonly installationRecorded: boolean;
  /** By name: what is wanted and what is ours. What is in neither was not looked at. */
  readonly domains: ReadonlyMap<SecondaryName, Observation<ObservedDomain>>;
  /** Why there may be more of ours than `domains` holds; null: these are all. */
  readonly unlisted: string | null;
  readonly facts: Observation<HostFacts>;
  /** By file name: the size in bytes. Every file that a wanted Secondary names is a key. */
  readonly files: ReadonlyMap<string, Observation<number>>;
  /** By name: what is wanted and what the store has. */
  readonly volumes: ReadonlyMap<VolumeName, Observation<ObservedVolume>>;
  readonly images: ReadonlyMap<ImageName, Observation<ObservedImage>>;
  readonly seeds: ReadonlyMap<SeedName, Observation<ObservedSeed>>;
  /** Where new Volumes are put. */
  readonly volumeStore: Observation<VolumeStore>;
  /** Why there may be more than `volumes`, `images` or `seeds` hold; null: these are all. */
  readonly unlistedVolumes: string | null;
  readonly unlistedImages: string | null;
  /** By the Image that each is for. */
  readonly intakes: ReadonlyMap<ImageName, Observation<ObservedIntake>>;
  readonly unlistedIntakes: string | null;
  readonly imageDisk: Observation<ObservedImageDisk>;
  /** Sizes in bytes of the files of the host's catalogue that are asked for. */
  readonly catalogue: ReadonlyMap<FileName, Observation<number>>;
  readonly unlistedSeeds: string | null;
  /** Ours, or a foreign one in its place. */
  readonly network: Observation<ObservedNetwork>;
  readonly slice: Observation<ObservedSlice>;
  /** Absent also where no document names one. */
  readonly primary: Observation<ObservedPrimary>;
  /** Where each of the Primary's NICs leads. */
  readonly uplinks: Observation<readonly NicWay[]>;
  readonly filter: Observation<ObservedFilter>;
  /** Who has a vsock address, or will; absent where nobody is about to get one. */
  readonly cids: Observation<readonly CidUse[]>;
}
