/**
 * The Primary of a partition: an operator's VM, of which unnest may change what it was granted and
 * nothing else. What its Secondaries need is taken from it while it runs, and given back.
 */
import type { DomainRef } from './domain.ts';
import type { PrimaryPlug } from './plug.ts';
import type { PrimaryNic } from './uplink.ts';

/** What may be taken from it. */
export const CARVINGS = ['vcpus', 'memory'] as const;
export type Carving = (typeof CARVINGS)[number];

/**
 * What unnest may do to it. `network`: give it a NIC on its partition's network. `handOver`: lend it blank
 * disks, on which it hands in Images. `imageDisk`: lend it the image disk.
 */
export const GRANTS = [...CARVINGS, 'network', 'handOver', 'imageDisk'] as const;
export type Grant = (typeof GRANTS)[number];

/** As the operator describes it. */
export interface PrimaryWanted {
  /** libvirt's. */
  readonly domainName: string;
  /** What it always keeps. */
  readonly reserved: { readonly vcpus: number; readonly memoryBytes: number };
  /** Of what is not granted it has a fixed share: whatever its domain has. */
  readonly grants: readonly Grant[];
  /** How large its image disk is, with what it has given; null: it has none. */
  readonly imageDiskBytes: number | null;
}

/** Of what can be carved out of it. */
export interface PrimaryHas {
  readonly vcpus: number;
  /**
   * Memory that is plugged in beside what it boots with (virtio-mem), or of one without such a device
   * all that its balloon has left it: what its guest has of it, and what it may take without anybody's leave.
   */
  readonly pluggedBytes: number;
}

export interface ObservedPrimary extends DomainRef {
  /** Null: it does not run. */
  readonly live: PrimaryHas | null;
  /** What its next start will use. */
  readonly defined: PrimaryHas;
  /** How many it could have without a restart. */
  readonly vcpusMax: number;
  /** How many it cannot give while it runs: they are not hotpluggable. */
  readonly vcpusFixed: number;
  /** What it boots with and cannot be taken while it runs; 0 where there is a balloon only. */
  readonly baseBytes: number;
  /** Its virtio-mem device, or its balloon; null: it has neither, or several devices. */
  readonly device: { readonly blockBytes: number; readonly sizeBytes: number } | null;
  /** What keeps its memory where it is, such as a passed-through device; null: nothing. */
  readonly pinnedBy: string | null;
  readonly translationCacheBytes: number;
  /** libvirt's `<partition>` of it, as it runs or would; null: libvirt's own choice. */
  readonly slicePath: string | null;
  /** The same at its next start. */
  readonly nextSlicePath: string | null;
  /** The operator's, in their order: as it runs, or would. */
  readonly nics: readonly PrimaryNic[];
  /** Of its definition: NICs that some unnest has given it, this one or another. */
  readonly plugs: readonly PrimaryPlug[];
  /** The same of what runs; null: it does not run. */
  readonly livePlugs: readonly PrimaryPlug[] | null;
  /** The aliases of the disks that some unnest has lent it while it runs, the image disk too. None is in its definition. */
  readonly lentDisks: readonly string[];
}
