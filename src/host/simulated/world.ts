/**
 * Everything there is on a simulated host, as plain mutable data: what libvirt and the store would
 * keep, and what the guests are about to do. Time is a number here; `settle.ts` makes it pass.
 */
import type {
  AgentState,
  DomainFields,
  DomainRef,
  HostSize,
  StopReason,
} from '../../model/domain.ts';
import type {
  DomainUuid,
  InstallationId,
  NetworkUuid,
  Owner,
  PartitionOwner,
} from '../../model/identity.ts';
import type { FilterFields, FilterPort } from '../../model/filter.ts';
import type { ImageName, PartitionName, SecondaryName, VolumeName } from '../../model/names.ts';
import type { NetworkFields, NetworkRef, Reservation } from '../../model/network.ts';
import type { ObservedImageDisk } from '../../model/image-disk.ts';
import type { ObservedIntake } from '../../model/intake.ts';
import type { ObservedPrimary } from '../../model/primary.ts';
import type { ObservedSeed, SeedName } from '../../model/seed.ts';
import type { SliceFields } from '../../model/slice.ts';
import type { ObservedImage, ObservedVolume } from '../../model/volume.ts';

export interface World {
  installation: InstallationId | null;
  /** How many guests have been started: the id of the next run, less one. */
  runs: number;
  domains: Map<DomainUuid, SimulatedDomain>;
  networks: Map<NetworkUuid, SimulatedNetwork>;
  /** The stores' files: by partition, then by name. So are Volumes, Images and seeds. */
  files: Map<PartitionName, Map<string, SimulatedFile>>;
  volumes: Map<PartitionName, Map<VolumeName, SimulatedVolume>>;
  images: Map<PartitionName, Map<ImageName, SimulatedImage>>;
  intakes: Map<PartitionName, Map<ImageName, SimulatedIntake>>;
  imageDisks: Map<PartitionName, SimulatedImageDisk>;
  /** By name. */
  catalogue: Map<string, SimulatedFile>;
  seeds: Map<PartitionName, Map<SeedName, SimulatedSeed>>;
  /** By the name of their tables. */
  filters: Map<string, SimulatedFilter>;
  /** By their path. */
  slices: Map<string, SliceFields>;
  /** An operator's VMs that can be carved, by libvirt's name. */
  primaries: Map<string, SimulatedPrimary>;
  size: HostSize;
  /** The interface of its default route; null: it has none. */
  defaultRoute: string | null;
}

/** What a simulated host has, unless its file says otherwise. */
export const sizeDefault: HostSize = { cpus: 16, memoryBytes: 64 * 2 ** 30 };

export const defaultRouteDefault = 'eth0';

/** What libvirt calls an inactive definition, our mark in its metadata included. */
export interface Definition {
  /** Null: somebody else made it. */
  owner: Owner | null;
  fields: DomainFields;
  /** Null where our mark is not there or cannot be read. */
  lastApplied: DomainFields | null;
  stopAsked: boolean;
}

export interface SimulatedDomain extends DomainRef {
  /** False: it vanishes when it stops. libvirt still shows the definition that was taken away. */
  persistent: boolean;
  definition: Definition;
  /** Why it last stopped; of no meaning while a guest runs. */
  stopReason: StopReason;
  /** Somebody has saved its memory. */
  saved: boolean;
  /** Null: no guest runs. */
  guest: Guest | null;
}

export interface Guest {
  state: 'running' | 'paused' | 'stopping';
  /** As they were when it was started, the memory and the Volumes as they are now. */
  fields: DomainFields;
  startedAtMs: number;
  /** Whether it has come up in its partition's slice. */
  inSlice: boolean;
  /** Tells this run from every other. */
  runId: number;
  agent: AgentState;
  /** When its agent answers; null: it does already, or never will. */
  agentAtMs: number | null;
  /** Which check this run has passed. */
  foundReady: string | null;
  /** When it will stop, and why, unless something happens before. */
  end: { atMs: number; reason: StopReason } | null;
  /** What its balloon is on its way to. */
  balloon: { atMs: number; bytes: number } | null;
  /** How many more devices could be plugged into it. */
  portsFree: number;
  /** The Volumes that it is about to let go of. */
  unplugging: { atMs: number; volume: VolumeName }[];
}

export interface SimulatedFile {
  bytes: number;
  /** What its bytes come to; null: whatever is asked for. */
  digest: string | null;
}

export type SimulatedVolume = Mutable<Omit<ObservedVolume, 'name'>>;
export type SimulatedImage = Mutable<Omit<ObservedImage, 'name'>>;
/** Whatever was handed in is what was asked for. */
export type SimulatedIntake = Mutable<Omit<ObservedIntake, 'name'>>;
export type SimulatedImageDisk = Mutable<ObservedImageDisk>;
export type SimulatedSeed = Mutable<Omit<ObservedSeed, 'name'>>;

/** Its guest gives what it was asked for after a while. */
export interface SimulatedPrimary extends Mutable<Omit<ObservedPrimary, 'domainName'>> {
  /** Null: it never gives anything. */
  releasesAfterMs: number | null;
  /** What it is on its way to. */
  release: { atMs: number; vcpus: number; pluggedBytes: number } | null;
  /** The NIC, or the disk, that it is about to let go of. */
  unplugging: { atMs: number; alias: string } | null;
}

export interface SimulatedFilter {
  /** Null: somebody has changed its rules. */
  fields: FilterFields | null;
  ports: readonly FilterPort[];
}

/** At least one of the two is there. */
export interface SimulatedNetwork extends NetworkRef {
  /** Null: it vanishes when it stops. */
  definition: NetworkSide | null;
  /** Null: it is not active. */
  live: NetworkSide | null;
}

/** A network's definition, or the network that runs, which is as its definition was at its start. */
export interface NetworkSide {
  /** Null: somebody else made it. */
  owner: PartitionOwner | null;
  /** Null: it is none that a document can ask for. */
  fields: NetworkFields | null;
  /** Null where our mark is not there or cannot be read. */
  lastApplied: NetworkFields | null;
  reservations: Map<SecondaryName, SimulatedReservation>;
}

export interface SimulatedReservation extends Reservation {
  /** False: the address is given, and its name is not known to the DNS. */
  readonly inDns: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function emptyWorld(): World {
  return {
    installation: null,
    runs: 0,
    domains: new Map(),
    networks: new Map(),
    files: new Map(),
    volumes: new Map(),
    images: new Map(),
    intakes: new Map(),
    imageDisks: new Map(),
    catalogue: new Map(),
    seeds: new Map(),
    filters: new Map(),
    slices: new Map(),
    primaries: new Map(),
    size: sizeDefault,
    defaultRoute: defaultRouteDefault,
  };
}
