/**
 * Where the bytes of an Image come in that are not on the host: room in the partition's store for exactly
 * as many as the document says. They are uploaded over the channel, taken out of the image disk, written to a
 * disk that is lent to the Primary and is nothing but this room, or fetched by the host. Nobody looks into them before they are all there and nobody else can
 * change them any more.
 */
import type { DomainRef } from './domain.ts';
import { lentDiskDigits, type PartitionOwner } from './identity.ts';
import type { ImageName } from './names.ts';
import type { Image, IntakeSource, StoredState } from './volume.ts';

export const INTAKE_KINDS = [
  'upload',
  'handOver',
  'imageDisk',
  'url',
] as const satisfies readonly IntakeSource['kind'][];
export type IntakeKind = (typeof INTAKE_KINDS)[number];

/** As it is wanted. Another digest is another Image, whose bytes are not mixed with those of this one. */
export interface Intake {
  readonly image: ImageName;
  readonly kind: IntakeKind;
  readonly digest: string;
  /** How many bytes the Image has as it is supplied. */
  readonly sizeBytes: number;
}

export interface ObservedIntake extends Omit<Intake, 'image'> {
  readonly name: ImageName;
  readonly owner: PartitionOwner | null;
  readonly state: StoredState;
  /** Who was lent its disk last, and may have it still; null: nobody was. */
  readonly lentTo: DomainRef | null;
  /** How many have been uploaded, taken out or fetched. What is on a lent disk only its Primary knows. */
  readonly receivedBytes: number;
  /** What it takes of the store: nothing any more once its bytes have become those of the Image. */
  readonly heldBytes: number;
}

/** Null: its bytes come from the host. */
export function intakeOf({ name: image, digest, source }: Image): Intake | null {
  if (source.kind === 'file' || source.kind === 'catalogue') return null;
  return { image, kind: source.kind, digest, sizeBytes: source.sizeBytes };
}

export function isFor(intake: Intake, seen: Omit<Intake, 'image'>): boolean {
  const { kind, digest, sizeBytes } = intake;
  return seen.kind === kind && seen.digest === digest && seen.sizeBytes === sizeBytes;
}

/** A disk ends with a sector: what is behind the Image's end is not looked at. */
export function roomBytes({ kind, sizeBytes }: Pick<Intake, 'kind' | 'sizeBytes'>): number {
  return kind === 'handOver' ? Math.ceil(sizeBytes / sectorBytes) * sectorBytes : sizeBytes;
}

const sectorBytes = 512;

/** A disk that is lent to a Primary while it runs: blank ones for Images, and the image disk. */
export interface LentDisk {
  /** libvirt leaves an alias alone that begins with `ua-`; an operator's disks have none like that. */
  readonly alias: string;
  /** What the guest finds it by: `/dev/disk/by-id/virtio-SERIAL`. */
  readonly serial: string;
}

export function lentDisk(owner: PartitionOwner, image: ImageName): LentDisk {
  const digits = lentDiskDigits(owner, image);
  // As many characters as virtio-blk shows.
  const isItsOwn = image.length <= 20 && image !== imageDiskSerial;
  return { alias: `ua-lent-${digits}`, serial: isItsOwn ? image : `image-${digits}` };
}

const imageDiskSerial = 'unnest-images';

/** The image disk: no Image has a name like that. */
export function lentImageDisk(owner: PartitionOwner): LentDisk {
  return { alias: `ua-lent-${lentDiskDigits(owner, '.image-disk')}`, serial: imageDiskSerial };
}

export function isLentDiskAlias(alias: string): boolean {
  return /^ua-lent-[0-9a-f]{12}$/.test(alias);
}
