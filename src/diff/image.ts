/** Images: wanted against kept. Their bytes can be had again, so what differs is replaced. */
import type { Observed } from '../model/domain.ts';
import { byName, type ImageName, type VolumeName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Image, ObservedImage } from '../model/volume.ts';
import type { ImageChange } from './change.ts';
import type { FieldChange } from './fields.ts';
import { blocked, foreignBlock, looked } from './ownership.ts';

export function diffImages(desired: DesiredState, observed: Observed): readonly ImageChange[] {
  const names = new Set([...desired.images.keys(), ...observed.images.keys()]);
  return [...names].sort(byName).flatMap((name) => {
    const image = desired.images.get(name);
    return image === undefined ? unwanted(name, observed) : [wanted(image, observed)];
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

function wanted(image: Image, observed: Observed): ImageChange {
  const { name } = image;
  const seen = looked(observed.images.get(name));
  if (seen.status === 'unknown') return blocked(name, 'HostUnknown', seen.why);
  if (seen.status === 'absent') return creation(image, null, observed);
  const there = seen.value;
  const block = foreignBlock(`Image ${name}`, there.owner, observed);
  if (block !== null) return { kind: 'blocked', name, block };
  const same = there.digest === image.digest && there.format === image.format;
  if (there.state === 'ready' && same) return { kind: 'unchanged', name, observed: there };
  const overlays = overlaysOn(name, observed);
  if (there.state === 'ready' && overlays.length > 0) {
    const message = `Volume ${overlays.join(', ')} lies on its bytes: give the new ones another name`;
    return blocked(name, 'ImageInUse', message);
  }
  return creation(image, there, observed);
}

function creation(image: Image, remains: ObservedImage | null, observed: Observed): ImageChange {
  const { name, file } = image;
  const size = looked(observed.files.get(file));
  if (size.status === 'unknown') return blocked(name, 'FileUnknown', size.why);
  if (size.status === 'present') return { kind: 'create', name, image, remains };
  const message = `"${file}" is not in the store of partition ${observed.partition}`;
  return blocked(name, 'FileMissing', message);
}

/** The Volumes that lie on an Image now. What is half made is made over, and needs it only then. */
export function overlaysOn(name: ImageName, { volumes }: Observed): readonly VolumeName[] {
  return [...volumes.values()].flatMap((seen) => {
    if (seen.status !== 'present') return [];
    const { origin, state } = seen.value;
    const lies = origin?.image === name && origin.provision === 'Overlay';
    return lies && state === 'ready' ? [seen.value.name] : [];
  });
}

/** Everything that a new Image is, as a plan shows it, or what the one in its place is not. */
export function imageFields(image: Image, before: ObservedImage | null): FieldChange[] {
  const { digest, format, file } = image;
  const impact = before === null ? 'none' : 'replace';
  const field = (name: 'digest' | 'format', to: string): FieldChange[] => {
    const from = before === null ? null : before[name];
    if (from === to) return [];
    return [{ field: name, path: `spec.${name}`, from, to, impact, origin: 'document' }];
  };
  const path = 'spec.source.file';
  return [
    ...field('digest', digest),
    ...field('format', format),
    { field: 'file', path, from: null, to: file, impact, origin: 'document' },
  ];
}
