/**
 * Data that outlives the Secondaries that use it, and the images that it may begin as. Both are
 * files that we made in the partition's store, each with a record beside it that says whose it is:
 * format and size are what the record and the documents say, never what a guest wrote into the file.
 */
import type { PartitionOwner } from './identity.ts';
import type { FileName, ImageName, VolumeName } from './names.ts';

/** How a disk's bytes are to be read. Always said, never probed: a guest can write any header. */
export const DISK_FORMATS = ['raw', 'qcow2'] as const;
export type DiskFormat = (typeof DISK_FORMATS)[number];

/**
 * What a guest is booted with directly and no disk: a Linux kernel as its boot protocol for x86 has it, and an
 * initial RAM disk, whatever that holds.
 */
export const BOOT_FORMATS = ['bzImage', 'initrd'] as const;
export type BootFormat = (typeof BOOT_FORMATS)[number];

export const IMAGE_FORMATS = [...DISK_FORMATS, ...BOOT_FORMATS] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

export function isDiskFormat(format: ImageFormat): format is DiskFormat {
  return format === 'raw' || format === 'qcow2';
}

/**
 * How long a file to boot with may be. QEMU keeps a copy of the kernel beside its guest's memory, for which
 * there is room as far as `overhead.ts` has set it aside. Kernels say with
 * `initrd_addr_max` of their header that an initial RAM disk is to end below 2 GiB.
 */
export const BOOT_BYTES_MAX: { readonly [F in BootFormat]: number } = {
  bzImage: 48 * 2 ** 20,
  initrd: 2 ** 31 - 1,
};

/** Whether its bytes are used as they are supplied. A qcow2 is written anew. */
export function isUsedAsSupplied(format: ImageFormat): boolean {
  return format !== 'qcow2';
}

/** What becomes of the data when no document speaks of it any more. */
export const DELETION_POLICIES = ['Retain', 'Delete'] as const;
export type DeletionPolicy = (typeof DELETION_POLICIES)[number];

/**
 * How a Volume comes by an Image's bytes. `Copy`: bytes of its own, shared where the file system can
 * (reflink). `Overlay`: a qcow2 that holds what differs, and needs the Image as long as it lives.
 */
export const PROVISIONS = ['Copy', 'Overlay'] as const;
export type Provision = (typeof PROVISIONS)[number];

/** The Image that a Volume began as. */
export interface VolumeOrigin {
  readonly image: ImageName;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly format: DiskFormat;
  readonly provision: Provision;
}

/** A Volume as it is wanted. */
export interface Volume {
  readonly name: VolumeName;
  readonly sizeBytes: number;
  readonly format: DiskFormat;
  /** Null: it lies on no Image, and begins as none. */
  readonly origin: VolumeOrigin | null;
  /** The Volume whose data it begins with, of the same format and on the same Image; null: none. */
  readonly copyOf: VolumeName | null;
  readonly deletionPolicy: DeletionPolicy;
}

/** Where an Image's bytes come from. */
export type ImageSource =
  /** A file that the operator has put into the partition's store. */
  | { readonly kind: 'file'; readonly file: FileName }
  /** A file of the host's catalogue. `isAllowed`: the operator lets this partition have it. */
  | { readonly kind: 'catalogue'; readonly file: FileName; readonly isAllowed: boolean }
  | IntakeSource;

/** They come in (`intake.ts`), this many: from its Primary, over the channel or on a disk of ours, or by the host. */
export type IntakeSource =
  | { readonly kind: 'upload'; readonly sizeBytes: number }
  /** `isWritten`: the Primary says that it is done with the disk. */
  | { readonly kind: 'handOver'; readonly sizeBytes: number; readonly isWritten: boolean }
  /** `isWritten`: the Primary has let go of the image disk, on which the file is. */
  | {
      readonly kind: 'imageDisk';
      readonly sizeBytes: number;
      readonly path: string;
      readonly taking: Taking;
      readonly isWritten: boolean;
    }
  /** The host fetches them. `isAllowed`: the operator lets this partition have it from there. */
  | {
      readonly kind: 'url';
      /** As `parseImageUrl` takes it. */
      readonly url: string;
      readonly sizeBytes: number;
      readonly isAllowed: boolean;
    };

/** `copy`: the file stays on the image disk, of which nothing is changed. */
export const TAKINGS = ['copy', 'move'] as const;
export type Taking = (typeof TAKINGS)[number];

/** What an Image was moved from on the image disk. */
export interface Moved {
  /** From the root of the disk's file system, without a slash before it. */
  readonly path: string;
  /** By so much the disk is smaller as long as there is this Image. */
  readonly sizeBytes: number;
}

/** An Image as it is wanted. */
export interface Image {
  readonly name: ImageName;
  readonly digest: string;
  readonly format: ImageFormat;
  readonly source: ImageSource;
  /** How large a disk it may be; null: as large as it says, and of what is no disk. */
  readonly virtualBytesMax: number | null;
}

/** How long a new qcow2 can become that holds all of a disk of this size. */
export function unpackedBytesMax(virtualBytes: number): number {
  // One entry of 8 bytes for each cluster of 64 KiB, one refcount of 2, and the tables of both.
  return virtualBytes + Math.ceil(virtualBytes / 4096) + 4 * 2 ** 20;
}

/**
 * `creating` and `deleting` are what a crash can leave behind: such a thing was never given to a
 * guest, or never will be again, so its data is nobody's and making or deleting it starts over.
 */
export const STORED_STATES = ['creating', 'ready', 'deleting'] as const;
export type StoredState = (typeof STORED_STATES)[number];

/** What there is to know besides of a Volume that is a logical volume in a thin pool. */
export interface ThinState {
  /** Which one, as LVM says it: GROUP/POOL. */
  readonly pool: string;
  /** Why no guest may be given it now; null: there is no such reason. */
  readonly unfit: string | null;
  /** It is as large as a whole number of these. */
  readonly grainBytes: number;
  /**
   * How large its guests know it to be: less than it is, if LVM has made it larger and nobody could be told, since
   * the guest ended or we did.
   */
  readonly toldBytes: number;
}

export interface ObservedVolume {
  readonly name: VolumeName;
  /** Null: there is something of this name that has no record, so it is not ours. */
  readonly owner: PartitionOwner | null;
  readonly state: StoredState;
  /** What a guest sees of it: of a raw file its length, of a qcow2 what its header says. */
  readonly sizeBytes: number;
  readonly format: DiskFormat;
  readonly origin: VolumeOrigin | null;
  /** What it began with, whether or not that still is. */
  readonly copyOf: VolumeName | null;
  readonly deletionPolicy: DeletionPolicy;
  /** Only of one that is no file. */
  readonly thin?: ThinState;
}

/** As how large its guests know it. */
export function toldBytes({ sizeBytes, thin }: ObservedVolume): number {
  return thin?.toldBytes ?? sizeBytes;
}

export interface ObservedImage {
  readonly name: ImageName;
  readonly owner: PartitionOwner | null;
  readonly state: StoredState;
  readonly digest: string;
  readonly format: ImageFormat;
  /** How large a disk it is, or how long what is none. */
  readonly sizeBytes: number;
  /** How much of the store it takes. */
  readonly fileBytes: number;
  /** What it was moved from on the image disk; null: its bytes have come in another way. */
  readonly moved: Moved | null;
}

/** Whether what is kept, or what a Volume began as, is what an Image says. */
export function isOfImage(image: Image, bytes: Pick<Image, 'digest' | 'format'>): boolean {
  return bytes.digest === image.digest && bytes.format === image.format;
}

/** How a domain refers to a Volume: what has to be said of its file, down to what lies below it. */
export interface VolumeUse {
  readonly volume: VolumeName;
  readonly format: DiskFormat;
  /** The Image that an overlay lies on; null for any other Volume. */
  readonly backing: { readonly image: ImageName; readonly format: DiskFormat } | null;
}

export function useOf({ name, format, origin }: Volume): VolumeUse {
  const backing =
    origin?.provision === 'Overlay' ? { image: origin.image, format: origin.format } : null;
  return { volume: name, format, backing };
}

/** `data:raw,root:qcow2:debian:qcow2`: a scalar, so that it compares like every other field. */
export function joinUses(uses: readonly VolumeUse[]): string {
  return uses
    .map(({ volume, format, backing }) =>
      backing === null
        ? `${volume}:${format}`
        : `${volume}:${format}:${backing.image}:${backing.format}`,
    )
    .join(',');
}

/** The other way round. What is none of ours in the text (somebody edited the host) is left out. */
export function splitUses(joined: string): readonly VolumeUse[] {
  return (joined === '' ? [] : joined.split(',')).flatMap((text): VolumeUse[] => {
    const match = usePattern.exec(text);
    if (match === null) return [];
    // The pattern has just checked each of them.
    const [, volume, format, image, imageFormat] = match as unknown as readonly string[];
    const backing =
      image === undefined ? null : { image: image as ImageName, format: imageFormat as DiskFormat };
    return [{ volume: volume as VolumeName, format: format as DiskFormat, backing }];
  });
}

const usePattern =
  /^([a-z](?:[a-z0-9-]{0,30}[a-z0-9])?):(raw|qcow2)(?::([a-z](?:[a-z0-9-]{0,30}[a-z0-9])?):(raw|qcow2))?$/;
