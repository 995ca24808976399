/**
 * The registry of operations: every step that can ever be taken on a host, with its arguments. Each
 * is idempotent alone. `describe`, the order and the executors derive from this one interface, and
 * the compiler finds whatever is missing when a line is added.
 */
import type { DomainDefinition, DomainRef, Fingerprint } from '../model/domain.ts';
import type { FilterFields, FilterPort, FilterRef } from '../model/filter.ts';
import type { InstallationId, Owner } from '../model/identity.ts';
import type { Brand } from '../model/brand.ts';
import type { ImageName, SecondaryName, VolumeName } from '../model/names.ts';
import type { ImageDiskGoal, ImageDiskWork } from '../model/image-disk.ts';
import type { Intake } from '../model/intake.ts';
import type { NetworkDefinition, NetworkRef, Reservation } from '../model/network.ts';
import type { PrimaryPlug } from '../model/plug.ts';
import type { Resource } from '../model/resource.ts';
import type { Seed, SeedName } from '../model/seed.ts';
import type { SliceFields, SliceRef } from '../model/slice.ts';
import type { DeletionPolicy, Image, Volume } from '../model/volume.ts';

/** How a guest is stopped: its agent is asked, its power button pressed, its power cut. */
export const STOP_STEPS = ['agent', 'acpi', 'power-off'] as const;
export type StopStep = (typeof STOP_STEPS)[number];

/** A port, and whose it is. */
export interface OwnedPort extends FilterPort {
  readonly secondary: SecondaryName;
}

export interface OperationArgs {
  /** Writes down the id that every UUID here derives from; once in an installation's life. */
  'installation.record': { readonly installation: InstallationId };
  /** Makes the definition, or overlays it on the one whose fingerprint is `basis`. */
  'domain.define': { readonly definition: DomainDefinition; readonly basis: Fingerprint | null };
  /** Asks the running guest for memory back, or lets it have more. */
  'domain.set-memory': { readonly domain: DomainRef; readonly memoryBytes: number };
  'domain.start': { readonly domain: DomainRef };
  'domain.resume': { readonly domain: DomainRef };
  /**
   * Shuts the guest down, step by step until one of them works: the guest is asked for `graceMs`, and
   * then powered off if that is among the steps. Only if the definition is still
   * `basis`: nobody loses a guest over a plan that then cannot go on. Null: this plan has just
   * written the definition.
   */
  'domain.stop': {
    readonly domain: DomainRef;
    readonly graceMs: number;
    readonly steps: readonly StopStep[];
    readonly basis: Fingerprint | null;
  };
  /** Waits until its guest has passed the check (`checkOf`), for as long as `timeoutMs`. */
  'domain.await-ready': {
    readonly domain: DomainRef;
    readonly check: string;
    readonly timeoutMs: number;
  };
  /** Leaves a note on the domain, before it is stopped, that the stop is ours. */
  'domain.note-stop': { readonly domain: DomainRef };
  /** Takes the note away, once it runs again. */
  'domain.forget-stop': { readonly domain: DomainRef };
  /** Removes a stopped domain. Its disks stay. */
  'domain.undefine': { readonly domain: DomainRef; readonly basis: Fingerprint };
  /** Plugs a Volume of its definition into the guest that runs. */
  'domain.attach-disk': { readonly domain: DomainRef; readonly volume: VolumeName };
  /** Takes a Volume out of the guest that runs, and waits until it has let go of it. */
  'domain.detach-disk': { readonly domain: DomainRef; readonly volume: VolumeName };
  /** Makes a Volume larger under the guest that runs with it. */
  'domain.grow-disk': {
    readonly domain: DomainRef;
    /** Whose domain it is. */
    readonly user: Owner;
    readonly volume: VolumeName;
    readonly sizeBytes: number;
  };
  'volume.create': { readonly volume: Volume };
  /** Of one that no guest runs with. */
  'volume.grow': { readonly volume: VolumeName; readonly sizeBytes: number };
  'volume.set-deletion-policy': {
    readonly volume: VolumeName;
    readonly deletionPolicy: DeletionPolicy;
  };
  /** Deletes the data. */
  'volume.delete': { readonly volume: VolumeName };
  /** Makes room for the bytes of an Image. */
  'intake.create': { readonly intake: Intake };
  /** Gives it back, with whatever has come in. */
  'intake.delete': { readonly image: ImageName };
  /** Plugs a disk into the running Primary that is the room of that Image's intake. */
  'primary.lend-disk': { readonly primary: DomainRef; readonly image: ImageName };
  /** Takes that disk out again, and waits until its guest has let go of it. */
  'primary.take-disk': { readonly primary: DomainRef; readonly image: ImageName };
  /** Takes an Image's bytes out of a file of the image disk, into the room that was made for them. */
  'intake.fill': { readonly image: ImageName; readonly path: string };
  'image-disk.create': { readonly goal: ImageDiskGoal };
  /** Makes it larger or smaller, without the files that it gives. Nobody has it. */
  'image-disk.rework': { readonly work: ImageDiskWork };
  /** Deletes what is on it. */
  'image-disk.delete': {};
  /** Plugs the image disk into the running Primary. */
  'primary.lend-image-disk': { readonly primary: DomainRef };
  /** Takes it out again, and waits until its guest has let go of it. */
  'primary.take-image-disk': { readonly primary: DomainRef };
  /** Looks into the bytes for an Image where they are, before those that they take the place of are given up. */
  'image.verify': { readonly image: Image };
  'image.import': { readonly image: Image };
  'image.delete': { readonly image: ImageName };
  /** With what its document says, which stands in no plan. */
  'seed.create': { readonly seed: Seed };
  /** Of one that no guest has. */
  'seed.delete': { readonly seed: SeedName };
  /** Gives the Primary so many, or takes so many from it: while it runs, and in its definition. */
  'primary.set-vcpus': { readonly primary: DomainRef; readonly vcpus: number };
  /** The same of what is plugged in beside its boot memory. */
  'primary.set-memory': { readonly primary: DomainRef; readonly pluggedBytes: number };
  /** Gives it a NIC of ours: in its definition, and while it runs. */
  'primary.plug': { readonly primary: DomainRef; readonly plug: PrimaryPlug };
  /** Takes that NIC out again, and waits until its guest has let go of it. */
  'primary.unplug': { readonly primary: DomainRef; readonly alias: string };
  /** Makes it, or changes what it limits, under whoever is in it. */
  'slice.apply': { readonly slice: SliceRef; readonly fields: SliceFields };
  /** Of one that nobody is in. */
  'slice.remove': { readonly slice: SliceRef };
  /** Puts all of it in force at once, in the place of what was. */
  'filter.apply': {
    readonly filter: FilterRef;
    readonly fields: FilterFields;
    readonly ports: readonly OwnedPort[];
  };
  /** Takes one port out of it, and touches no other. */
  'filter.close': {
    readonly filter: FilterRef;
    readonly secondary: SecondaryName;
    readonly tap: string;
  };
  /** Of a network that is gone. */
  'filter.remove': { readonly filter: FilterRef };
  /** Makes the definition, or overlays it on the one whose fingerprint is `basis`. */
  'network.define': { readonly definition: NetworkDefinition; readonly basis: string | null };
  'network.start': { readonly network: NetworkRef };
  'network.stop': { readonly network: NetworkRef };
  'network.undefine': { readonly network: NetworkRef };
  'network.reserve': {
    readonly network: NetworkRef;
    readonly secondary: SecondaryName;
    readonly reservation: Reservation;
  };
  'network.unreserve': { readonly network: NetworkRef; readonly secondary: SecondaryName };
}

export type OperationKind = keyof OperationArgs;
export type OperationId = Brand<string, 'OperationId'>;

/**
 * Phases are carried out one after the other. `prepare` acquires nothing and finds out whether the
 * host accepts what comes; `release` gives resources back; `provision` takes storage, so that a
 * guest is only restarted once all that it will need is there; `restart` gives back and takes, guest
 * by guest; `acquire` takes. So the sum of what is allocated never rises before it has fallen.
 */
export const PHASES = ['prepare', 'release', 'provision', 'restart', 'acquire'] as const;
export type Phase = (typeof PHASES)[number];

export type OperationOf<K extends OperationKind> = {
  readonly kind: K;
  readonly id: OperationId;
  /** What it is about; null for what belongs to the whole installation. */
  readonly resource: Resource | null;
  readonly phase: Phase;
  /** These must have succeeded first. */
  readonly after: readonly OperationId[];
} & OperationArgs[K];

export type Operation = { [K in OperationKind]: OperationOf<K> }[OperationKind];

/** `domain.define/web`: unique in a plan, since no plan does the same thing to one of them twice. */
export function operationId(kind: OperationKind, name: string | null): OperationId {
  return (name === null ? kind : `${kind}/${name}`) as OperationId;
}

/** Of a Secondary's disk, of which there may be several: no name has a dot in it. */
export function diskName(secondary: string, volume: string): string {
  return `${secondary}.${volume}`;
}
