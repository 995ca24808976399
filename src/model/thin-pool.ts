/**
 * Where Volumes are kept that are no files: logical volumes in a thin pool of the operator's. What is in it besides is
 * not ours, and known by its name and by having no tag of ours.
 */
import type { PartitionOwner } from './identity.ts';
import type { PartitionName, VolumeName } from './names.ts';

export interface ThinPool {
  /** LVM's name of the volume group. */
  readonly group: string;
  /** LVM's name of the pool in it. */
  readonly pool: string;
}

export function poolName({ group, pool }: ThinPool): string {
  return `${group}/${pool}`;
}

/** As lvm(8) allows them, but for what it keeps for itself, which no pool is called. */
export const LVM_NAME_PATTERN = /^(?!\.{1,2}$)[a-zA-Z0-9_+.][a-zA-Z0-9_+.-]{0,126}$/;

const prefix = 'unnest.';

/** As domains are named; no other name of a Volume, and no other partition, comes to the same. */
export function logicalVolumeName(partition: PartitionName, volume: VolumeName): string {
  return `${prefix}${partition}.${volume}`;
}

/** The other way round, of one partition's; null: it is none of them. */
export function volumeNameIn(partition: PartitionName, logicalVolume: string): string | null {
  const own = `${prefix}${partition}.`;
  return logicalVolume.startsWith(own) ? logicalVolume.slice(own.length) : null;
}

/** Whose it is, on the logical volume itself: it comes to be with it, in one step. */
export function ownerTag({ installation, partition }: PartitionOwner, volume: VolumeName): string {
  return `${prefix}owner=${installation}/${partition}/${volume}`;
}

/** Where udev makes it appear, for as long as it is active. */
export function devicePath(group: string, logicalVolume: string): string {
  return `/dev/${group}/${logicalVolume}`;
}

/** What of a host's store for Volumes a plan has to know. */
export interface VolumeStore {
  /** As `ThinState` has it; null: files. */
  readonly pool: string | null;
  /** Volumes are as large as they are asked to be, rounded up to a whole number of these. */
  readonly grainBytes: number;
  /** `raw`: nothing else can be kept there, and nothing lies on an Image. */
  readonly keeps: 'raw' | 'all';
  /** How much larger all Volumes of the host together may become; null: nobody counts. */
  readonly freeBytes: number | null;
  /** Why nothing new is put there; null: there is no such reason. */
  readonly refusal: string | null;
}

/** Files. */
export const directoryStore: VolumeStore = {
  pool: null,
  grainBytes: 1,
  keeps: 'all',
  freeBytes: null,
  refusal: null,
};

export function roundedUp(bytes: number, grainBytes: number): number {
  return Math.ceil(bytes / grainBytes) * grainBytes;
}
