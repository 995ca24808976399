/** What a Secondary is booted with that is an Image: whether it is to be had, and whether it fits. */
import type { DomainFields, Observed, ObservedDomain } from '../model/domain.ts';
import type { ImageName, SecondaryName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import { bootImagesOf, type Secondary } from '../model/secondary.ts';
import { formatSize } from '../model/sizes.ts';
import { type BootFormat, type Image, isDiskFormat, type ObservedImage } from '../model/volume.ts';
import type { Block, ImageChange } from './change.ts';
import { partBlocked } from './ownership.ts';
import { readyImage } from './ready-image.ts';

/** Where the kernel's code is loaded (Linux, Documentation/arch/x86/boot.rst, "Memory Layout"). */
const loadedAtBytes = 2 ** 20;

/**
 * The initial RAM disk is loaded as high as it may lie below 4 GiB. q35 has 2 GiB of memory there, or all of it if
 * that is less than 2.75 GiB (QEMU, hw/i386/pc_q35.c, pc_q35_init, `lowmem`), and every kernel that is taken
 * has its RAM disk up to 2 GiB (`initrd_addr_max`, kernel-header.ts).
 */
const loadedBelowBytes = 2 ** 31;

/**
 * At the end of that QEMU loads nothing: 128 KiB are for tables of ACPI, 32 KiB for what else the firmware keeps (hw/i386/pc.c,
 * pc_machine_class_init, `acpi_data_size`).
 */
const firmwareBytes = 0x20000 + 0x8000;

/** A RAM disk begins with a page (hw/i386/x86.c, x86_load_linux, `initrd_addr`). */
const pageBytes = 4096;

/** Why it cannot be booted with the Images that it names; null: it can, or names none. */
export function bootImageBlock(
  { name: secondary, boot, memoryBytes }: Secondary,
  images: ReadonlyMap<ImageName, ImageChange>,
  observed: Observed,
): Block | null {
  const named = bootImagesOf(boot);
  // What it goes on with was loaded before.
  if (named.every(([name]) => savedWith(secondary, name, observed) !== null)) return null;
  const bytes = { bzImage: 0, initrd: 0 };
  for (const [name, format] of named) {
    const change = images.get(name);
    if (change?.kind === 'blocked') return partBlocked(`Image ${name}`, change.block);
    if (change !== undefined) bytes[format] = bytesOf(change, observed);
  }
  return sizeBlock(bytes, memoryBytes);
}

/** Of the kernel all is counted, with its setup (of at most 32 KiB), which lies further down. */
function sizeBlock(
  { bzImage, initrd }: Readonly<Record<BootFormat, number>>,
  memoryBytes: number,
): Block | null {
  const takenBytes = Math.ceil(bzImage / pageBytes) * pageBytes + initrd;
  const lowBytes = Math.min(memoryBytes, loadedBelowBytes);
  const roomBytes = Math.max(0, lowBytes - firmwareBytes - loadedAtBytes);
  // The last byte stays free (`initrd_max`).
  if (takenBytes < roomBytes) return null;
  const room = `it has ${formatSize(memoryBytes)} of memory, in which there has to be more than that between ${formatSize(loadedAtBytes)} and ${formatSize(lowBytes - firmwareBytes)}`;
  const message = `what it boots takes ${formatSize(takenBytes)}, and ${room}: it could not be loaded`;
  return { code: 'BootTooLarge', message };
}

function bytesOf(change: Exclude<ImageChange, { kind: 'blocked' }>, observed: Observed): number {
  return change.kind === 'create'
    ? suppliedBytes(change.image, observed)
    : change.observed.sizeBytes;
}

/** As long as it is supplied, it will be. */
function suppliedBytes({ source }: Image, { files, catalogue }: Observed): number {
  switch (source.kind) {
    case 'file':
      return known(files.get(source.file));
    case 'catalogue':
      return known(catalogue.get(source.file));
    case 'upload':
    case 'handOver':
    case 'imageDisk':
    case 'url':
      return source.sizeBytes;
  }
}

function known(seen: Observation<number> | undefined): number {
  return seen?.status === 'present' ? seen.value : 0;
}

/**
 * The Image as a saved guest has it, which goes on with those bytes and no others. They are kept for it
 * (plan/guards-of-images.ts), so that it waits for none that a document wants in their place. Null: it is not saved
 * with it, or the bytes are not there.
 */
export function savedWith(
  secondary: SecondaryName,
  image: ImageName,
  observed: Observed,
): ObservedImage | null {
  const domain = observed.domains.get(secondary);
  if (domain?.status !== 'present') return null;
  const { live, saved, defined } = domain.value;
  const isSavedWith = live === null && saved && bootedWith(defined).includes(image);
  return isSavedWith ? readyImage(image, observed) : null;
}

/**
 * What a guest has that runs, or may have that is saved: libvirt saves what it ran with, which need not be what its
 * definition says by now. So that may be any.
 */
export function heldBy({ live, saved }: ObservedDomain, { images }: Observed): readonly string[] {
  if (live !== null) return bootedWith(live);
  if (!saved) return [];
  return [...images].flatMap(([name, seen]) =>
    seen.status === 'present' && isDiskFormat(seen.value.format) ? [] : [name],
  );
}

/** The Images that a domain is booted with, in its definition, running or saved. */
export function bootImagesIn(domain: ObservedDomain, observed: Observed): ReadonlySet<string> {
  return new Set([...bootedWith(domain.defined), ...heldBy(domain, observed)]);
}

export function bootedWith({ kernelImage, initrdImage }: DomainFields): readonly string[] {
  return [kernelImage, initrdImage].filter((name) => name !== null);
}
