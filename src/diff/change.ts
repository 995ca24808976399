/**
 * What differs, resource by resource. A change says what and why; what is done about it, and in
 * which order, is the plan's to say.
 */
import type { DomainRef, ObservedDomain } from '../model/domain.ts';
import type { FilterFields, FilterPort, ObservedFilter } from '../model/filter.ts';
import type { ImageName, PartitionName, SecondaryName, VolumeName } from '../model/names.ts';
import type { Given, ImageDiskGoal, ObservedImageDisk } from '../model/image-disk.ts';
import type { Intake, ObservedIntake } from '../model/intake.ts';
import type { NetworkFields, ObservedNetwork, Reservations } from '../model/network.ts';
import type { DesiredState, Secondary } from '../model/secondary.ts';
import type { PrimaryPlug } from '../model/plug.ts';
import type { ObservedPrimary, PrimaryWanted } from '../model/primary.ts';
import type { ObservedSeed, Seed, SeedName } from '../model/seed.ts';
import type { ObservedSlice, SliceFields } from '../model/slice.ts';
import type { Image, ObservedImage, ObservedVolume, Volume } from '../model/volume.ts';
import type { FieldChange } from './fields.ts';

export const REASONS = [
  'not-on-host', // wanted, and the host has no such domain
  'document-changed', // it asks for something else than was last applied
  'changed-outside', // somebody changed the definition, or the guest, on the host
  'definition-gone', // it runs, but somebody undefined it
  'not-running', // its run policy wants it running
  'paused', // its run policy wants it running, and somebody suspended it
  'should-be-halted', // its run policy wants it stopped
  'stop-noted', // it runs, and still carries the note of a stop that was to come
  'not-in-documents', // ours, and no document speaks of it
  'asked-for', // a person named it for removal, or asked for its guest to be started or stopped
  'half-made', // a crash has left it half made, or half deleted
  'not-lent', // its Primary is to write to a disk that it does not have
  'images-taken', // files of it become Images, or those that did are gone
  'not-active', // a network that is defined and does not run
  'carved', // its Secondaries need what it has, or no longer need what it had
  'reservations-changed', // Secondaries with a NIC have come, gone, or lost their address
] as const;
export type Reason = (typeof REASONS)[number];

export type BlockCode =
  | 'HostUnknown' // the host could not be read, so nothing may be concluded
  | 'NameTaken' // a domain that is not ours has the name
  | 'MarkMismatch' // it has our UUID or name, but its mark says another owner
  | 'FileMissing' // a file it needs is not in the partition's store
  | 'FileUnknown' // a file it needs could not be looked at
  | 'MarkUnreadable' // it would be deleted, and its mark does not say whether it is protected
  | 'SavedState' // its memory is saved with what it had, and the change would take that away
  | 'DiskMoved' // its disk was replaced on the host, and the way back may lose data
  | 'Protected' // it would be deleted, and its document said `protect: true`
  | 'StartAfterUnmet' // what it starts after does not run
  | 'TooManyDeletions' // more than one plan may delete
  | 'BackOff' // it has failed, and is tried again after a while
  | 'GaveUp' // it has failed too often, or in a way that trying again does not mend
  | 'PartBlocked' // a Volume, Image, seed, network or packet filter that it needs is blocked itself
  | 'NetworkMissing' // it wants a NIC, and the partition has no network
  | 'NoFreeAddress' // the subnet is full
  | 'NotAllowed' // the operator has not allowed it
  | 'HostNotAllowed' // the operator lets nothing be fetched from there
  | 'AwaitingBytes' // its Primary has not handed in all of it yet
  | 'Fetching' // the host has not fetched all of it yet
  | 'CidTaken' // another domain has the vsock address that it is to have
  | 'UplinkUndecided' // the Primary's NICs do not say by which interface the network is to leave
  | 'NetworkInUse' // guests would be cut off
  | 'VolumeInUse' // a guest that stays still has it
  | 'ImageInUse' // Volumes lie on it, or a guest that was booted with it runs
  | 'BootTooLarge' // its kernel and initial RAM disk do not fit into its memory
  | 'ShrinkRefused' // a smaller disk would lose what is behind its end
  | 'FormatFixed' // another format would lose the data
  | 'FormatNotKept' // the host keeps Volumes where there are only raw ones
  | 'StoreFull' // what the host keeps Volumes in has no room for it
  | 'OriginFixed' // it has begun as another Image, and lies on it
  | 'NothingToCopy' // it is to begin with the data of a Volume that is not there
  | 'CopyDiffers' // it is to be of another kind than the Volume that it is to be a copy of
  | 'Held' // a person has asked for it to be left alone
  | 'CrashLoop' // its guest ends again and again, so that its next start waits
  | 'PrimaryMissing' // the host has no domain of the name that its Partition says
  | 'PrimaryNotReleasing' // its guest does not give what it was asked for
  | 'HostOvercommitted' // beside the other partitions the host has no room for its own
  | 'SubnetTaken' // its addresses are another partition's, or the host's own
  | 'OverBudget' // the partition's limits leave no room for it
  | 'DeletesEverything'; // the documents keep no Secondary and no Volume, and nobody said that this is meant

export interface Block {
  readonly code: BlockCode;
  readonly message: string;
}

export type PowerChange = 'none' | 'start' | 'resume' | 'stop';

/** What a person asks for once, beside the documents. */
export type PowerRequest = 'start' | 'stop' | 'restart';

/** Everything that is wanted or there. */
export interface Changes {
  /** What the plan has to keep to. It comes with the changes, so that no plan is made without. */
  readonly share: DesiredState['share'];
  /** Null: none is wanted, and none of ours is there. */
  readonly slice: SliceChange | null;
  /** Null: no document names one. What becomes of it follows from everything else. */
  readonly primary: PrimaryChange | null;
  readonly network: NetworkChange | null;
  /** Null: there is nothing to be filtered, or nothing that could be told about it. */
  readonly filter: FilterChange | null;
  /** Of the Primary on the network; null: it is to have none, and has none of ours. */
  readonly nic: NicChange | null;
  /** Null: none is wanted, and none of ours is there. */
  readonly imageDisk: ImageDiskChange | null;
  /** Each of these by name. Intakes by that of their Image, and only while it does not take them. */
  readonly intakes: readonly IntakeChange[];
  readonly images: readonly ImageChange[];
  readonly seeds: readonly SeedChange[];
  readonly volumes: readonly VolumeChange[];
  readonly secondaries: readonly Change[];
}

export interface Blocked<Name extends string> {
  readonly kind: 'blocked';
  readonly name: Name;
  readonly block: Block;
}

/** Of a Secondary. */
export type Change =
  | {
      readonly kind: 'create';
      readonly name: SecondaryName;
      readonly secondary: Secondary;
      readonly asked: PowerRequest | null;
    }
  | UpdateChange
  | { readonly kind: 'delete'; readonly name: SecondaryName; readonly observed: ObservedDomain }
  | Blocked<SecondaryName>;

/** Also where nothing differs: then all three parts are empty. */
export interface UpdateChange {
  readonly kind: 'update';
  readonly name: SecondaryName;
  readonly secondary: Secondary;
  readonly observed: ObservedDomain;
  /** Between what its next start would use and what is wanted. */
  readonly definition: readonly FieldChange[];
  /** Between what runs and what is wanted. */
  readonly running: readonly FieldChange[];
  readonly power: PowerChange;
  /** What a person has asked for, as far as something comes of it. Diff itself asks for nothing. */
  readonly asked: PowerRequest | null;
  /** Why its guest could not be started now, if it were to be; null: it could. */
  readonly unstartable: Block | null;
}

export type VolumeChange =
  | {
      readonly kind: 'create';
      readonly name: VolumeName;
      readonly volume: Volume;
      /** What a crash has left of one; null: nothing is there. */
      readonly remains: ObservedVolume | null;
    }
  | {
      readonly kind: 'update';
      readonly name: VolumeName;
      readonly volume: Volume;
      readonly observed: ObservedVolume;
      /** Empty where nothing differs. */
      readonly fields: readonly FieldChange[];
      /** Whose running guest has it; null: nobody's. */
      readonly user: ObservedDomain | null;
    }
  | {
      readonly kind: 'delete';
      readonly name: VolumeName;
      readonly observed: ObservedVolume;
      /** Who is to begin with its data, and has not. */
      readonly owedTo: readonly VolumeName[];
    }
  /** No document speaks of it, and it is to stay. */
  | { readonly kind: 'keep'; readonly name: VolumeName; readonly observed: ObservedVolume }
  | Blocked<VolumeName>;

export type ImageChange =
  | {
      readonly kind: 'create';
      readonly name: ImageName;
      readonly image: Image;
      /** What is there and has to go first: other bytes, or what a crash has left. */
      readonly remains: ObservedImage | null;
      /** Where its bytes have come in, which is at its end then; null: they are the host's. */
      readonly intake: Lent | null;
      /** The file of the image disk that is taken out for it; null: none is, or all of it is in the intake already. */
      readonly path: string | null;
    }
  | { readonly kind: 'unchanged'; readonly name: ImageName; readonly observed: ObservedImage }
  | { readonly kind: 'delete'; readonly name: ImageName; readonly observed: ObservedImage }
  /** No document speaks of it, and a Volume lies on it, or a guest is booted with it. */
  | { readonly kind: 'keep'; readonly name: ImageName; readonly observed: ObservedImage }
  | Blocked<ImageName>;

/** An intake that is there. */
export interface Lent {
  readonly observed: ObservedIntake;
  /** Whom its disk has to be taken from; null: nobody has one. */
  readonly borrower: DomainRef | null;
}

export type IntakeChange =
  | {
      readonly kind: 'create';
      readonly name: ImageName;
      readonly intake: Intake;
      /** What is there and has to go first: for other bytes, or what a crash has left. */
      readonly remains: Lent | null;
      /** Who is lent its disk; null: nobody, or not yet. */
      readonly borrower: DomainRef | null;
    }
  | {
      readonly kind: 'update';
      readonly name: ImageName;
      readonly observed: ObservedIntake;
      /** Who is lent its disk now; null: nobody, or they have it already. */
      readonly borrower: DomainRef | null;
      /** Who has it, or may have it, and is to have it no longer; null: nobody. */
      readonly from: DomainRef | null;
    }
  | ({ readonly kind: 'delete'; readonly name: ImageName } & Lent)
  | Blocked<ImageName>;

export type SeedChange =
  | {
      readonly kind: 'create';
      readonly name: SeedName;
      readonly seed: Seed;
      /** What a crash has left of one; null: nothing is there. */
      readonly remains: ObservedSeed | null;
    }
  | { readonly kind: 'unchanged'; readonly name: SeedName; readonly observed: ObservedSeed }
  | { readonly kind: 'delete'; readonly name: SeedName; readonly observed: ObservedSeed }
  /** No document asks for it any more, and a guest still has it. */
  | { readonly kind: 'keep'; readonly name: SeedName; readonly observed: ObservedSeed }
  | Blocked<SeedName>;

export type NetworkChange =
  | {
      readonly kind: 'create';
      readonly name: PartitionName;
      readonly fields: NetworkFields;
      readonly reservations: Reservations;
    }
  | {
      readonly kind: 'update';
      readonly name: PartitionName;
      readonly fields: NetworkFields;
      readonly observed: ObservedNetwork;
      /** Between what its next start would use and what is wanted. */
      readonly definition: readonly FieldChange[];
      /** Between what runs and what is wanted: nobody is on it then. */
      readonly running: readonly FieldChange[];
      /** As they are to be, by the name of the Secondary. */
      readonly reserve: Reservations;
      /** Who does not want one any more. Whether their guests let go of it, the plan knows. */
      readonly unreserve: readonly SecondaryName[];
      /** Whether it is to be started. */
      readonly activate: boolean;
      /** Who would have an address, if an operator had not given the name one. */
      readonly theirs: ReadonlySet<SecondaryName>;
    }
  | { readonly kind: 'delete'; readonly name: PartitionName; readonly observed: ObservedNetwork }
  | Blocked<PartitionName>;

/** By the Secondary that each port is of. */
type FilterPorts = ReadonlyMap<SecondaryName, FilterPort>;

export type FilterChange =
  | {
      readonly kind: 'create';
      readonly name: PartitionName;
      readonly fields: FilterFields;
      readonly ports: FilterPorts;
    }
  | {
      readonly kind: 'update';
      readonly name: PartitionName;
      readonly fields: FilterFields;
      /** Of those too who are about to lose theirs. */
      readonly ports: FilterPorts;
      readonly observed: ObservedFilter;
      /** Empty where nothing differs. */
      readonly changes: readonly FieldChange[];
    }
  | { readonly kind: 'delete'; readonly name: PartitionName; readonly observed: ObservedFilter }
  | Blocked<PartitionName>;

/** The NIC of ours that a Primary has on its partition's network. */
export type NicChange =
  | {
      readonly kind: 'create' | 'update';
      readonly name: PartitionName;
      readonly observed: ObservedPrimary;
      readonly plug: PrimaryPlug;
      /** Whether one of ours is there that is not as it is to be, and has to go first. */
      readonly isChanged: boolean;
      /** Whether there is nothing to do. */
      readonly isSo: boolean;
    }
  | {
      readonly kind: 'delete';
      readonly name: PartitionName;
      readonly observed: ObservedPrimary;
      readonly alias: string;
    }
  | Blocked<PartitionName>;

/** The image disk of the Primary. Which Images are taken off it now, the plan knows. */
export type ImageDiskChange =
  | {
      readonly kind: 'create';
      readonly name: PartitionName;
      readonly goal: ImageDiskGoal;
      /** What a crash has left of one; null: nothing is there. */
      readonly remains: ObservedImageDisk | null;
      /** Who is lent it; null: its Primary does not run. */
      readonly borrower: DomainRef | null;
    }
  | {
      readonly kind: 'update';
      readonly name: PartitionName;
      readonly observed: ObservedImageDisk;
      /** As large as it is with all that it has given. */
      readonly fullBytes: number;
      /** For the Images that there are. */
      readonly owed: readonly Given[];
      /** Whose guest has it; null: nobody's. */
      readonly holder: DomainRef | null;
      /** Who is to have it; null: its Primary does not run. */
      readonly borrower: DomainRef | null;
      /** Why it is made neither larger nor smaller for a while; null: it can be. */
      readonly held: Block | null;
    }
  | {
      readonly kind: 'delete';
      readonly name: PartitionName;
      readonly observed: ObservedImageDisk;
      readonly holder: DomainRef | null;
    }
  | Blocked<PartitionName>;

export type SliceChange =
  | { readonly kind: 'create'; readonly name: PartitionName; readonly fields: SliceFields }
  | {
      readonly kind: 'update';
      readonly name: PartitionName;
      readonly fields: SliceFields;
      readonly observed: ObservedSlice;
      /** Empty where nothing differs. */
      readonly changes: readonly FieldChange[];
    }
  | { readonly kind: 'delete'; readonly name: PartitionName; readonly observed: ObservedSlice }
  /** Guests are in it that no document wants out of it yet. */
  | { readonly kind: 'keep'; readonly name: PartitionName; readonly observed: ObservedSlice }
  | Blocked<PartitionName>;

export type PrimaryChange = { readonly name: PartitionName; readonly wanted: PrimaryWanted } & (
  | {
      readonly kind: 'present';
      readonly observed: ObservedPrimary;
      /** Why nothing is taken from it for a while; null: it can be. */
      readonly held: Block | null;
    }
  | { readonly kind: 'blocked'; readonly block: Block }
);
