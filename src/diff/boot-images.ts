/** What a Secondary is booted with that is an Image: whether it is to be had, and whether it fits. */
import type { DomainFields, Observed, ObservedDomain } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import type { ImageName, SecondaryName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import { bootImagesOf, type Secondary } from '../model/secondary.ts';
import { formatSize } from '../model/sizes.ts';
import type { Image, ObservedImage } from '../model/volume.ts';
import type { Block, ImageChange } from './change.ts';
import { partBlocked } from './ownership.ts';

/**
 * The kernel's code is loaded from here on (Linux, Documentation/arch/x86/boot.rst, "Memory Layout"), and the
 * initial RAM disk at the end of memory.
 */
const loadedAtBytes = 2 ** 20;

/** Why it cannot be booted with the Images that it names; null: it can, or names none. */
export function bootImageBlock(
  { name: secondary, boot, memoryBytes }: Secondary,
  images: ReadonlyMap<ImageName, ImageChange>,
  observed: Observed,
): Block | null {
  let bytes = 0;
  for (const [name] of bootImagesOf(boot)) {
    const own = savedWith(secondary, name, observed);
    const change = images.get(name);
    if (own !== null) bytes += own.sizeBytes;
    else if (change?.kind === 'blocked') return partBlocked(`Image ${name}`, change.block);
    else bytes += change === undefined ? 0 : bytesOf(change, observed);
  }
  if (bytes === 0 || loadedAtBytes + bytes <= memoryBytes) return null;
  const sizes = `${formatSize(bytes)} from ${formatSize(loadedAtBytes)} on, and it has ${formatSize(memoryBytes)} of memory`;
  const message = `what it boots would take ${sizes}: it could never be loaded`;
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
  { domains, images, ...us }: Observed,
): ObservedImage | null {
  const domain = domains.get(secondary);
  const there = images.get(image);
  if (domain?.status !== 'present' || there?.status !== 'present') return null;
  if (!heldWhileSaved(domain.value).includes(image)) return null;
  const { owner, state } = there.value;
  return owner !== null && samePartition(owner, us) && state === 'ready' ? there.value : null;
}

/** What it goes on with if it is saved; nothing if it is not. */
export function heldWhileSaved({ live, saved, defined }: ObservedDomain): readonly string[] {
  return live === null && saved ? bootedWith(defined) : [];
}

/** The Images that a domain is booted with, in its definition or running. */
export function bootImagesIn({ defined, live }: ObservedDomain): ReadonlySet<string> {
  return new Set([...bootedWith(defined), ...(live === null ? [] : bootedWith(live))]);
}

export function bootedWith({ kernelImage, initrdImage }: DomainFields): readonly string[] {
  return [kernelImage, initrdImage].filter((name) => name !== null);
}
