/**
 * What unnest needs of a host, and no more. Planning gets a `HostView`, which has no way to change
 * anything; only execution gets a `Host`. Every method rejects with a `HostError` and nothing else.
 */
import type {
  DomainDefinition,
  DomainRef,
  GuestUsage,
  HostFacts,
  ObservedDomain,
} from '../model/domain.ts';
import type { FilterRef, FilterRules, ObservedFilter } from '../model/filter.ts';
import type { DomainUuid, InstallationId, PartitionOwner } from '../model/identity.ts';
import type {
  FileName,
  ImageName,
  PartitionName,
  SecondaryName,
  VolumeName,
} from '../model/names.ts';
import type { ImageDiskGoal, ImageDiskWork, ObservedImageDisk } from '../model/image-disk.ts';
import type { Intake, LentDisk, ObservedIntake } from '../model/intake.ts';
import type {
  NetworkDefinition,
  NetworkRef,
  ObservedNetwork,
  Reservation,
} from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import type { ObservedPrimary } from '../model/primary.ts';
import type { PrimaryPlug } from '../model/plug.ts';
import type { NicWay, PrimaryNic } from '../model/uplink.ts';
import type { VmRun } from '../model/vm-run.ts';
import type { ObservedSeed, Seed, SeedContent, SeedName } from '../model/seed.ts';
import type { VolumeStore } from '../model/thin-pool.ts';
import type { CidUse } from '../model/vsock.ts';
import type { ObservedSlice, SliceFields, SliceRef } from '../model/slice.ts';
import type {
  DeletionPolicy,
  Image,
  ObservedImage,
  ObservedVolume,
  Volume,
} from '../model/volume.ts';

/** What concerns no partition in particular. */
export interface DomainLister {
  facts(signal: AbortSignal): Promise<HostFacts>;
  /** Every domain there is, ours or not, by identity only: one call. */
  list(signal: AbortSignal): Promise<readonly DomainRef[]>;
}

export interface DomainReader extends DomainLister {
  /** One observation for each of `refs`, in their order. */
  read(
    refs: readonly DomainRef[],
    signal: AbortSignal,
  ): Promise<readonly Observation<ObservedDomain>[]>;
  /** What each of `refs` uses, in their order; null: it does not run, or is not there. */
  usage(refs: readonly DomainRef[], signal: AbortSignal): Promise<readonly (GuestUsage | null)[]>;
  /** Begins to listen for signs that a domain has changed. */
  watch(ref: DomainRef): Promise<DomainWatch>;
  /** Every fixed vsock address of the host's domains, ours or not, defined or running. */
  cids(signal: AbortSignal): Promise<readonly CidUse[]>;
}

export interface DomainWatch {
  /** Resolves at the next sign of change since the last call, or after `timeoutMs`. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Which check has been passed by which run of a guest. */
export interface FoundReady {
  /** libvirt's id of it. */
  readonly runId: number;
  /** As `checkOf` writes it. */
  readonly check: string;
}

export interface DomainWriter {
  /** Lays the managed fields over the definition that is there, or makes a new one. */
  define(definition: DomainDefinition, signal: AbortSignal): Promise<void>;
  undefine(ref: DomainRef, signal: AbortSignal): Promise<void>;
  start(ref: DomainRef, signal: AbortSignal): Promise<void>;
  resume(ref: DomainRef, signal: AbortSignal): Promise<void>;
  /** Presses the power button. That it was pressed says nothing about what the guest does. */
  shutdown(ref: DomainRef, signal: AbortSignal): Promise<void>;
  /**
   * Asks the guest's agent to shut it down; may answer only once the guest has obeyed. `Unsupported`
   * where there is no channel for an agent, `Timeout` where none answers.
   */
  shutdownByAgent(ref: DomainRef, signal: AbortSignal): Promise<void>;
  powerOff(ref: DomainRef, signal: AbortSignal): Promise<void>;
  /** Keeps a note with the definition, across crashes of ours: the next stop is asked for. */
  noteStop(ref: DomainRef, asked: boolean, signal: AbortSignal): Promise<void>;
  /**
   * Keeps a note with this run of the guest, and no longer than it lasts: it has passed this check. Of
   * another run the note is none.
   */
  noteReady(ref: DomainRef, run: FoundReady, signal: AbortSignal): Promise<void>;
  /**
   * Resolves once the guest's agent has answered a question. `Timeout` where none answers, `Unsupported`
   * where there is no channel for one.
   */
  askAgent(ref: DomainRef, signal: AbortSignal): Promise<void>;
  /** Plugs the disk that its definition has of a Volume into the guest that runs. */
  attachDisk(ref: DomainRef, volume: VolumeName, signal: AbortSignal): Promise<void>;
  /**
   * Asks the guest that runs to let go of the disk of a Volume; its definition stays. Of what is not there it is
   * done already.
   */
  detachDisk(ref: DomainRef, volume: VolumeName, signal: AbortSignal): Promise<void>;
  /** Makes the disk of a Volume larger under a guest that uses it, file included. */
  growDisk(ref: DomainRef, volume: VolumeName, bytes: number, signal: AbortSignal): Promise<void>;
  /** Moves the balloon's goal. What the guest does about it is to be observed. */
  setMemory(ref: DomainRef, bytes: number, signal: AbortSignal): Promise<void>;
}

/** What a guest writes to its serial console from now on. Ends when the guest does. */
export interface OpenConsole extends AsyncIterable<Uint8Array> {
  /** Resolves when the bytes are on their way to the guest. One that reads nothing takes nothing in the end. */
  type(bytes: Uint8Array): Promise<void>;
}

/** Not a reader: whoever holds a guest's console can also type on it. */
export interface DomainConsole {
  console(ref: DomainRef, signal: AbortSignal): Promise<OpenConsole>;
  /** Also where somebody has it: they lose it. */
  takeConsole(ref: DomainRef, signal: AbortSignal): Promise<OpenConsole>;
}

/** The files a partition's Secondaries boot from. */
export interface StoreReader {
  /**
   * How many bytes of the partition's share it takes at most to make an Image of a regular file of its
   * store: its size, and of a qcow2 also what it is unpacked to.
   */
  size(partition: PartitionName, file: FileName): Promise<Observation<number>>;
  /** The same of the host's catalogue. */
  catalogueSize(file: FileName): Promise<Observation<number>>;
}

/** What a partition's store has been given to keep: its Volumes, its Images, or its seeds. */
export interface KeptReader<Name extends string, Kept> {
  /** Everything that has a place there, whoever made it. */
  list(partition: PartitionName, signal: AbortSignal): Promise<readonly Name[]>;
  read(partition: PartitionName, name: Name, signal: AbortSignal): Promise<Observation<Kept>>;
}

export interface VolumeReader extends KeptReader<VolumeName, ObservedVolume> {
  /** Where new ones are put. */
  store(signal: AbortSignal): Promise<VolumeStore>;
}
export type ImageReader = KeptReader<ImageName, ObservedImage>;
/** Each has the name of its Image. */
export type IntakeReader = KeptReader<ImageName, ObservedIntake>;

/** A partition has one, or none. */
export interface ImageDiskReader {
  find(partition: PartitionName, signal: AbortSignal): Promise<Observation<ObservedImageDisk>>;
}

export type SeedReader = KeptReader<SeedName, ObservedSeed>;

export interface VolumeWriter {
  /**
   * Makes it, or makes over what a crash has left `creating`. Rejects with `Conflict` if there is
   * one, and with `Refused` if its Image is not ready or is not the one that is meant.
   */
  create(owner: PartitionOwner, volume: Volume, signal: AbortSignal): Promise<void>;
  /** Of one that no running guest uses: `Conflict` if it is not ready, `Refused` to make it smaller. */
  grow(owner: PartitionOwner, name: VolumeName, bytes: number, signal: AbortSignal): Promise<void>;
  setDeletionPolicy(
    owner: PartitionOwner,
    name: VolumeName,
    policy: DeletionPolicy,
    signal: AbortSignal,
  ): Promise<void>;
  /** Deletes the data, for good. Of what is not there it is done already. */
  delete(owner: PartitionOwner, name: VolumeName, signal: AbortSignal): Promise<void>;
}

export interface ImageWriter {
  /**
   * Takes the bytes from where the Image says that they are and keeps them, once they have been seen to be
   * what the digest says and to need nothing outside themselves. `Refused` if they are not or do: then what was taken out of
   * the image disk is dropped, as the next word about it is about another file. Those of a
   * raw Image that came in by an intake are kept as they are there, and take no more of the store.
   */
  import(owner: PartitionOwner, image: Image, signal: AbortSignal): Promise<void>;
  /**
   * Says of the bytes, where they are, what `import` would, and makes nothing of them. Of a qcow2 that somebody may still
   * write to, the tables are not looked into. What has come in by an intake, and is good, is looked into only once, and nothing
   * more comes into it, nor begins anew there, before it is imported or let go of.
   */
  verify(owner: PartitionOwner, image: Image, signal: AbortSignal): Promise<void>;
  /** Nothing is given up any more for what was verified: another upload may begin in its place. */
  letGo(owner: PartitionOwner, name: ImageName): void;
  /** `Refused` as long as a Volume that is ready lies on it. */
  delete(owner: PartitionOwner, name: ImageName, signal: AbortSignal): Promise<void>;
}

export interface IntakeWriter {
  /** Makes it, or makes over what a crash has left `creating`. `Conflict` if there is one. */
  create(owner: PartitionOwner, intake: Intake, signal: AbortSignal): Promise<void>;
  /**
   * Adds what was uploaded, or fetched, behind what has come already; at 0 it begins anew. `Refused` where it does not
   * begin there, would be too much, or is a disk that is lent; `Conflict` where there is no such intake, as that of
   * other bytes of this Image is none. @returns how much there is then
   */
  append(
    owner: PartitionOwner,
    intake: Intake,
    atByte: number,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<number>;
  /**
   * Takes its bytes out of a file of the image disk, which no guest has, in the place of what had come before.
   * Nothing of that disk is changed. If there is no such file of as many bytes, what had come before stays; `Refused` if
   * that was not all.
   */
  takeOut(
    owner: PartitionOwner,
    image: ImageName,
    path: string,
    signal: AbortSignal,
  ): Promise<void>;
  /** Of what is not there it is done already. Nobody has its disk by then. */
  delete(owner: PartitionOwner, image: ImageName, signal: AbortSignal): Promise<void>;
}

/** Of a disk that no guest has: whoever calls has seen to that. */
export interface ImageDiskWriter {
  /** With an empty file system, or over what a crash has left `creating`. `Conflict` if there is one. */
  create(owner: PartitionOwner, goal: ImageDiskGoal, signal: AbortSignal): Promise<void>;
  /**
   * Makes it larger or smaller, without the files that go, which need not be there. All of it or
   * nothing: until the new one is whole the old one is as it was. `Refused` if its file system is not sound, or
   * does not fit.
   */
  rework(owner: PartitionOwner, work: ImageDiskWork, signal: AbortSignal): Promise<void>;
  /** With all that is on it. Of what is not there it is done already. */
  delete(owner: PartitionOwner, signal: AbortSignal): Promise<void>;
}

export interface SeedWriter {
  /**
   * Makes its file, or makes over what a crash has left `creating`. Rejects with `Conflict` if there
   * is one, and with `Unsupported` if what it takes is not on this host.
   */
  create(
    owner: PartitionOwner,
    seed: Seed,
    content: SeedContent,
    signal: AbortSignal,
  ): Promise<void>;
  /** Of what is not there it is done already. */
  delete(owner: PartitionOwner, name: SeedName, signal: AbortSignal): Promise<void>;
}

export interface NetworkReader {
  /** The network with this UUID, or else with this name, ours or not. */
  find(ref: NetworkRef, signal: AbortSignal): Promise<Observation<ObservedNetwork>>;
}

export interface NetworkWriter {
  /** Makes the definition, or lays it over the one that is there. Reservations in it stay. */
  define(definition: NetworkDefinition, signal: AbortSignal): Promise<void>;
  start(ref: NetworkRef, signal: AbortSignal): Promise<void>;
  /** Cuts off every guest that is on it. */
  stop(ref: NetworkRef, signal: AbortSignal): Promise<void>;
  undefine(ref: NetworkRef, signal: AbortSignal): Promise<void>;
  /** In the definition, and at once in the network if it is active. Replaces the one of this name. */
  reserve(
    ref: NetworkRef,
    name: SecondaryName,
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<void>;
  unreserve(ref: NetworkRef, name: SecondaryName, signal: AbortSignal): Promise<void>;
}

export interface FilterReader {
  /** As the kernel enforces it, whoever has made it so. */
  find(ref: FilterRef, signal: AbortSignal): Promise<Observation<ObservedFilter>>;
}

export interface FilterWriter {
  /** Puts all of it in force at one moment, in the place of whatever was. */
  apply(ref: FilterRef, rules: FilterRules, signal: AbortSignal): Promise<void>;
  /** Takes the port of one tap out of it, and touches no other. */
  close(ref: FilterRef, tap: string, signal: AbortSignal): Promise<void>;
  /** Of what is not there it is done already. */
  remove(ref: FilterRef, signal: AbortSignal): Promise<void>;
}

export interface SliceReader {
  /** As the kernel shows it, whoever has made it so. */
  find(ref: SliceRef, signal: AbortSignal): Promise<Observation<ObservedSlice>>;
  /** Whether all of a running domain's virtual machine is in the slice. Of one that does not run: false. */
  contains(ref: SliceRef, domain: DomainRef, signal: AbortSignal): Promise<boolean>;
}

export interface SliceWriter {
  /** Makes it, or changes what is there, under whoever is in it. */
  apply(ref: SliceRef, fields: SliceFields, signal: AbortSignal): Promise<void>;
  /** `Refused` as long as anybody is in it. Of what is not there it is done already. */
  remove(ref: SliceRef, signal: AbortSignal): Promise<void>;
}

export interface PrimaryReader {
  /** The domain of that name: what of it can be carved, and its NICs. */
  find(domainName: string, signal: AbortSignal): Promise<Observation<ObservedPrimary>>;
}

export interface UplinkReader {
  /** Where each of these leads by now, in their order. */
  of(nics: readonly PrimaryNic[], signal: AbortSignal): Promise<readonly NicWay[]>;
}

/** Both in its definition and in what runs. That it was asked says nothing of what the guest gives. */
export interface PrimaryWriter {
  setVcpus(ref: DomainRef, vcpus: number, signal: AbortSignal): Promise<void>;
  setMemory(ref: DomainRef, pluggedBytes: number, signal: AbortSignal): Promise<void>;
  /** Where there is no NIC of that alias. */
  plug(ref: DomainRef, plug: PrimaryPlug, signal: AbortSignal): Promise<void>;
  /** Asks the guest to let go of it. Of what is not there it is done already. */
  unplug(ref: DomainRef, alias: string, signal: AbortSignal): Promise<void>;
  /**
   * Plugs the room of an Image's intake into the guest that runs, or the image disk (`null`), and into no
   * definition: a Primary never needs a file of ours to be started.
   */
  lend(ref: DomainRef, image: ImageName | null, disk: LentDisk, signal: AbortSignal): Promise<void>;
  /** Asks the guest to let go of it. Of what is not there it is done already. */
  takeBack(ref: DomainRef, alias: string, signal: AbortSignal): Promise<void>;
}

export interface InstallationReader {
  /** The id recorded on this host, or null before the first `apply`. */
  read(): Promise<InstallationId | null>;
}

export interface InstallationWriter {
  /** Rejects with `Conflict` if another id is recorded by now. */
  record(id: InstallationId): Promise<'applied' | 'already'>;
}

export interface HostView {
  readonly domains: DomainReader;
  readonly store: StoreReader;
  readonly volumes: VolumeReader;
  readonly images: ImageReader;
  readonly intakes: IntakeReader;
  readonly imageDisks: ImageDiskReader;
  readonly seeds: SeedReader;
  readonly networks: NetworkReader;
  readonly filters: FilterReader;
  readonly slices: SliceReader;
  readonly primaries: PrimaryReader;
  readonly uplinks: UplinkReader;
  readonly installation: InstallationReader;
}

export interface Host extends HostView {
  readonly domains: DomainReader & DomainWriter & DomainConsole;
  readonly volumes: VolumeReader & VolumeWriter;
  readonly images: ImageReader & ImageWriter;
  readonly intakes: IntakeReader & IntakeWriter;
  readonly imageDisks: ImageDiskReader & ImageDiskWriter;
  readonly seeds: SeedReader & SeedWriter;
  readonly networks: NetworkReader & NetworkWriter;
  readonly filters: FilterReader & FilterWriter;
  readonly slices: SliceReader & SliceWriter;
  readonly primaries: PrimaryReader & PrimaryWriter;
  readonly installation: InstallationReader & InstallationWriter;
}

/** What has happened to a domain, as far as its host tells: enough for a log line, never to act on. */
export type DomainSign =
  | 'defined'
  | 'undefined'
  | 'started'
  | 'suspended'
  | 'resumed'
  | 'stopped'
  | 'shutdown' // its guest has shut down, and its process still ends
  | 'pm-suspended'
  | 'crashed'
  | 'device' // one has come or gone
  | 'tunable' // somebody has changed what it may use
  | 'metadata' // our mark, perhaps
  | 'agent' // its guest agent has come or gone
  | 'unknown';

/**
 * Something may no longer be as it was read. What is so, only reading tells: signs are lost while
 * the connection is, and some changes give none.
 */
export type HostSign =
  | {
      readonly kind: 'domain';
      readonly domainName: string;
      readonly uuid: DomainUuid;
      readonly event: DomainSign;
    }
  | { readonly kind: 'network'; readonly networkName: string }
  /** A file that libvirt keeps of it was written, which not every change gives an event of. */
  | { readonly kind: 'domain-file'; readonly domainName: string }
  /** Until it is back, whatever needs the connection rejects with `Unreachable`. */
  | { readonly kind: 'lost'; readonly message: string }
  /** Signs come again. Those of meanwhile are missed. */
  | { readonly kind: 'back' };

export interface VmRuns {
  /** Those that run and have a vsock device, as they run now; in no order. */
  readonly runs: readonly VmRun[];
  /** Of these nothing is known. */
  readonly unread: readonly string[];
}

export interface VmRunReader {
  of(domainNames: readonly string[], signal: AbortSignal): Promise<VmRuns>;
}

/** One host for all its partitions, for as long as a daemon lives, through every restart of libvirtd. */
export interface DaemonHosts {
  /** Of the host as a whole. */
  readonly domains: DomainLister;
  /** Whoever speaks by vsock. */
  readonly vmRuns: VmRunReader;
  host(partition: PartitionName): Host;
  /**
   * Calls back at every sign, whichever partition it is about, until it is stopped. Where the
   * connection is lost at this moment, that is said first.
   */
  onSign(listener: (sign: HostSign) => void): () => void;
  close(): Promise<void>;
}
