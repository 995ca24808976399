/**
 * A Secondary as its Primary's user wants it: units resolved, defaults filled in, names checked.
 * Nothing here is optional, and nothing here knows YAML or libvirt.
 */
import type { ImageHost } from './image-url.ts';
import type { NetworkFields } from './network.ts';
import type { PrimaryWanted } from './primary.ts';
import type { Share } from './share.ts';
import type { FileName, ImageName, PartitionName, SecondaryName, VolumeName } from './names.ts';
import type { Seed, SeedContent, SeedName } from './seed.ts';
import type { BootFormat, DiskFormat, Image, Volume, VolumeUse } from './volume.ts';

export type Boot =
  | {
      readonly kind: 'kernel';
      readonly kernel: FileName;
      readonly initrd: FileName | null;
      readonly commandLine: string;
    }
  | {
      readonly kind: 'kernelImage';
      readonly kernel: ImageName;
      readonly initrd: ImageName | null;
      readonly commandLine: string;
    }
  | { readonly kind: 'disk'; readonly file: FileName; readonly format: DiskFormat }
  | { readonly kind: 'volume'; readonly use: VolumeUse };

/**
 * Whether it runs (KubeVirt's terms). `Always`: whenever it is not running it is started.
 * `RerunOnFailure`: the same, unless the guest shut itself down. `Manual`: the power button is
 * somebody else's. `Halted`: it is stopped.
 */
export const RUN_POLICIES = ['Always', 'RerunOnFailure', 'Manual', 'Halted'] as const;
export type RunPolicy = (typeof RUN_POLICIES)[number];

/**
 * What happens to a change that a running guest cannot take. `Staged`: it waits in the definition
 * for the next start. `Restart`: `apply` restarts the guest.
 */
export const UPDATE_POLICIES = ['Staged', 'Restart'] as const;
export type UpdatePolicy = (typeof UPDATE_POLICIES)[number];

/** Whether it has a NIC: on none, or on the network of its partition. */
export const NETWORK_CHOICES = ['None', 'Partition'] as const;
export type NetworkChoice = (typeof NETWORK_CHOICES)[number];

/** Whether the kernel holds it to its partition's limits: in the partition's slice, or in none of ours. */
export const SLICE_CHOICES = ['None', 'Partition'] as const;
export type SliceChoice = (typeof SLICE_CHOICES)[number];

/**
 * When it is ready, and those may start that start after it. `Running`: once its guest runs.
 * `GuestAgent`: once the agent in its guest has answered the host. `TcpPort`: once a port of its address
 * takes a connection. `Heartbeat`: once its guest has said so by vsock (`readiness.ts`).
 */
export const READINESS_CHOICES = ['Running', 'GuestAgent', 'TcpPort', 'Heartbeat'] as const;
export type Readiness = (typeof READINESS_CHOICES)[number];

export interface Secondary {
  readonly name: SecondaryName;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly boot: Boot;
  /** Volumes besides the one that it may boot from, in their order. */
  readonly disks: readonly VolumeUse[];
  /** What its guest is told at its first boot; null: nothing. */
  readonly seed: Seed | null;
  readonly network: NetworkChoice;
  /** Null: no document describes its partition, so that it stays where it is. */
  readonly slice: SliceChoice | null;
  readonly serialConsole: boolean;
  /** Whether it has a channel for QEMU's guest agent. */
  readonly guestAgent: boolean;
  readonly runPolicy: RunPolicy;
  readonly updatePolicy: UpdatePolicy;
  /** How long a guest may take to shut down. */
  readonly stopGraceMs: number;
  /** Whether one that takes longer is powered off; otherwise it runs on, and the stop has failed. */
  readonly forceStop: boolean;
  /** For selecting; libvirt is not told. */
  readonly labels: ReadonlyMap<string, string>;
  /** Nothing that loses the guest is done to it: neither deleting nor replacing. */
  readonly protect: boolean;
  /** Started only after these are ready. Names of the same partition, without cycles. */
  readonly startAfter: readonly SecondaryName[];
  /** `GuestAgent` only with `guestAgent`, `TcpPort` only with a network. */
  readonly readiness: Readiness;
  /** Of `TcpPort`; null with any other. */
  readonly readinessPort: number | null;
}

export interface DesiredState {
  readonly partition: PartitionName;
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
  readonly volumes: ReadonlyMap<VolumeName, Volume>;
  readonly images: ReadonlyMap<ImageName, Image>;
  /** Where its Images may be fetched from. */
  readonly imageHosts: readonly ImageHost[];
  /** Of every Secondary's seed. Secrets may be in it: only who makes the file reads it. */
  readonly seedContents: ReadonlyMap<SeedName, SeedContent>;
  /**
   * `unspoken`: no document describes the partition, so its network stays as it is. Null: the one
   * that does wants none.
   */
  readonly network: NetworkFields | 'unspoken' | null;
  /** What it may have at most. `unspoken` and null as with the network: then nothing limits it. */
  readonly share: Share | 'unspoken' | null;
  /**
   * The CPUs of the host that nobody was promised for himself, for who has none of his own. A null
   * `cpuset`: all of them. `unspoken`: nobody says, so that it stays as it is.
   */
  readonly commonCpus: { readonly cpuset: string | null } | 'unspoken';
  /** Whose partition it is; null: nobody's. */
  readonly primary: PrimaryWanted | 'unspoken' | null;
}

/** The files of the partition's store that a Secondary cannot run without, in a fixed order. */
export function filesOf(boot: Boot): readonly FileName[] {
  switch (boot.kind) {
    case 'kernel':
      return boot.initrd === null ? [boot.kernel] : [boot.kernel, boot.initrd];
    case 'disk':
      return [boot.file];
    case 'kernelImage':
    case 'volume':
      return [];
  }
}

/** The Images that its guest is booted with, each with what it has to be. */
export function bootImagesOf(boot: Boot): readonly (readonly [ImageName, BootFormat])[] {
  if (boot.kind !== 'kernelImage') return [];
  const kernel = [boot.kernel, 'bzImage'] as const;
  return boot.initrd === null ? [kernel] : [kernel, [boot.initrd, 'initrd']];
}

/** Every Volume that a Secondary uses, the one that it boots from first. */
export function usesOf({ boot, disks }: Pick<Secondary, 'boot' | 'disks'>): readonly VolumeUse[] {
  return boot.kind === 'volume' ? [boot.use, ...disks] : disks;
}
