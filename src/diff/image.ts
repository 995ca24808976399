/** Images: wanted against kept. Their bytes can be had again, so what differs is replaced. */
import type { Observed } from '../model/domain.ts';
import { hostText, parseImageUrl } from '../model/image-url.ts';
import { byName, type FileName, type ImageName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import type { DesiredState } from '../model/secondary.ts';
import { type Image, isOfImage, type ObservedImage, type ObservedVolume } from '../model/volume.ts';
import type { Block, ImageChange, Lent } from './change.ts';
import type { FieldChange } from './fields.ts';
import { handedIn, refusal, type Sourced } from './intake.ts';
import { blocked, foreignBlock, looked } from './ownership.ts';

/** @param offDisk why nothing is taken off the image disk; null: it can be */
export function diffImages(
  desired: DesiredState,
  observed: Observed,
  offDisk: Block | null,
): readonly ImageChange[] {
  const names = new Set([...desired.images.keys(), ...observed.images.keys()]);
  const overlays = overlaysIn(observed);
  return [...names].sort(byName).flatMap((name) => {
    const image = desired.images.get(name);
    if (image === undefined) return unwanted(name, observed);
    return [wanted(image, observed, overlays.get(name) ?? [], offDisk)];
  });
}

function unwanted(name: ImageName, observed: Observed): ImageChange[] {
  const seen = looked(observed.images.get(name));
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [blocked(name, 'HostUnknown', seen.why)];
  if (foreignBlock(`Image ${name}`, seen.value.owner, observed) !== null) return [];
  // Whether anything still lies on it when its turn comes, the plan knows.
  return [{ kind: 'delete', name, observed: seen.value }];
}

function wanted(
  image: Image,
  observed: Observed,
  overlays: readonly ObservedVolume[],
  offDisk: Block | null,
): ImageChange {
  const { name } = image;
  const seen = looked(observed.images.get(name));
  if (seen.status === 'unknown') return blocked(name, 'HostUnknown', seen.why);
  if (seen.status === 'present') {
    const block = foreignBlock(`Image ${name}`, seen.value.owner, observed);
    if (block !== null) return { kind: 'blocked', name, block };
    if (seen.value.state === 'ready' && isOfImage(image, seen.value)) {
      return { kind: 'unchanged', name, observed: seen.value };
    }
  }
  // Also where the old bytes are gone: others in their place would be worse than none.
  const others = overlays.filter(({ origin }) => origin !== null && !isOfImage(image, origin));
  if (others.length > 0) {
    const names = others.map((volume) => volume.name).join(', ');
    const message = `Volume ${names} lies on other bytes: give the new ones another name`;
    return blocked(name, 'ImageInUse', message);
  }
  return creation(image, seen.status === 'present' ? seen.value : null, observed, offDisk);
}

function creation(
  image: Image,
  remains: ObservedImage | null,
  observed: Observed,
  offDisk: Block | null,
): ImageChange {
  const { name } = image;
  const sourced = sourceIn(image, observed, offDisk);
  if (sourced.status === 'blocked') return { kind: 'blocked', name, block: sourced.block };
  const { intake } = sourced;
  const path = pathToTake(image, remains, intake, observed);
  return { kind: 'create', name, image, remains, intake, path };
}

/**
 * What has been taken out is there until it is seen to be no good, so that it is not lost by being taken out once more:
 * its Primary may have the file in use again, or none. Only to move it a file has to be taken out since a guest has had the
 * disk, which is how it is known to be the one that goes from it. What a crash has interrupted would be there twice.
 */
function pathToTake(
  { source }: Image,
  remains: ObservedImage | null,
  intake: Lent | null,
  { imageDisk }: Observed,
): string | null {
  if (source.kind !== 'imageDisk') return null;
  const { path, taking, sizeBytes } = source;
  if (intake?.observed.receivedBytes !== sizeBytes) return path;
  if (taking === 'copy' || remains?.state === 'creating') return null;
  const isSame = imageDisk.status === 'present' && imageDisk.value.takenOut.includes(path);
  return isSame ? null : path;
}

/** Where its bytes are, or why they cannot be had now. */
function sourceIn(image: Image, observed: Observed, offDisk: Block | null): Sourced {
  const { source } = image;
  switch (source.kind) {
    case 'file':
      return fileIn(observed.files, source.file, `in the store of partition ${observed.partition}`);
    case 'catalogue':
      if (source.isAllowed)
        return fileIn(observed.catalogue, source.file, "in the host's catalogue");
      return refusal('NotAllowed', `"${source.file}" is not in the partition's policy.images`);
    case 'upload':
    case 'handOver':
    case 'imageDisk':
      return handedIn(image, source, observed, offDisk);
    case 'url':
      if (source.isAllowed) return handedIn(image, source, observed, null);
      return refusal('HostNotAllowed', hostNotAllowed(source.url));
  }
}

/** Of what others may have nothing is said. */
function hostNotAllowed(text: string): string {
  const url = parseImageUrl(text);
  const host = url === null ? text : hostText(url);
  return `the operator does not let this partition have Images fetched from ${host} (policy.imageHosts)`;
}

function fileIn(
  files: ReadonlyMap<string, Observation<number>>,
  file: FileName,
  where: string,
): Sourced {
  const size = looked(files.get(file));
  if (size.status === 'unknown') return refusal('FileUnknown', size.why);
  if (size.status === 'absent') return refusal('FileMissing', `"${file}" is not ${where}`);
  return { status: 'ready', intake: null };
}

/**
 * By Image: the Volumes that lie on it now. What is half made is made over, and needs it only then.
 */
export function overlaysIn({
  volumes,
}: Observed): ReadonlyMap<ImageName, readonly ObservedVolume[]> {
  const overlays = new Map<ImageName, ObservedVolume[]>();
  for (const seen of volumes.values()) {
    if (seen.status !== 'present' || seen.value.state !== 'ready') continue;
    const { origin } = seen.value;
    if (origin?.provision !== 'Overlay') continue;
    overlays.set(origin.image, [...(overlays.get(origin.image) ?? []), seen.value]);
  }
  return overlays;
}

function textOf(source: Image['source']): string {
  if ('file' in source) return source.file;
  if ('path' in source) return source.path;
  return source.kind === 'url' ? source.url : source.kind;
}

/** Everything that a new Image is, as a plan shows it, or what the one in its place is not. */
export function imageFields(image: Image, before: ObservedImage | null): FieldChange[] {
  const { digest, format, source } = image;
  const impact = before === null ? 'none' : 'replace';
  const field = (name: 'digest' | 'format', to: string): FieldChange[] => {
    const from = before === null ? null : before[name];
    if (from === to) return [];
    return [{ field: name, path: `spec.${name}`, from, to, impact, origin: 'document' }];
  };
  const to = textOf(source);
  const path = `spec.source.${source.kind}`;
  return [
    ...field('digest', digest),
    ...field('format', format),
    { field: 'file', path, from: null, to, impact, origin: 'document' },
  ];
}
