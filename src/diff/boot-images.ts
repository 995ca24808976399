/** What a Secondary is booted with that is an Image: whether it is to be had, and whether it fits. */
import type { DomainFields, Observed, ObservedDomain } from '../model/domain.ts';
import type { ImageName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import { bootImagesOf, type Secondary } from '../model/secondary.ts';
import { formatSize } from '../model/sizes.ts';
import type { Image } from '../model/volume.ts';
import type { Block, ImageChange } from './change.ts';
import { partBlocked } from './ownership.ts';

/**
 * The kernel's code is loaded from here on (Linux, Documentation/arch/x86/boot.rst, "Memory Layout"), and the
 * initial RAM disk at the end of memory.
 */
const loadedAtBytes = 2 ** 20;

/** Why it cannot be booted with the Images that it names; null: it can, or names none. */
export function bootImageBlock(
  { boot, memoryBytes }: Secondary,
  images: ReadonlyMap<ImageName, ImageChange>,
  observed: Observed,
): Block | null {
  let bytes = 0;
  for (const [name] of bootImagesOf(boot)) {
    const change = images.get(name);
    if (change?.kind === 'blocked') return partBlocked(`Image ${name}`, change.block);
    bytes += change === undefined ? 0 : bytesOf(change, observed);
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

/** The Images that a domain is booted with, in its definition or running. */
export function bootImagesIn({ defined, live }: ObservedDomain): ReadonlySet<string> {
  return new Set([...bootedWith(defined), ...(live === null ? [] : bootedWith(live))]);
}

export function bootedWith({ kernelImage, initrdImage }: DomainFields): readonly string[] {
  return [kernelImage, initrdImage].filter((name) => name !== null);
}
