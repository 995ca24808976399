/** What a Secondary refers to, besides other Secondaries: Volumes, Images that it boots, and the network. */
import { type ImageName, volumeName } from '../model/names.ts';
import type { BootFormat, ImageFormat } from '../model/volume.ts';
import type { Diagnostic } from './diagnostic.ts';
import { replicaNames, withName } from './expand.ts';
import type { DocumentPath } from './paths.ts';
import type { Placed } from './placed.ts';
import { dangling } from './references.ts';
import type { Surroundings } from './secondaries.ts';
import type { SecondaryDocument } from './secondary-schema.ts';

/**
 * One for each field that is wrong, however many replicas it is wrong for.
 * @param mistakes how many were found before
 */
export function volumeProblems(
  { document, source }: Placed<SecondaryDocument>,
  { volumes, mayExist }: Surroundings,
  mistakes: number,
): Diagnostic[] {
  const names = replicaNames(document);
  return references(document).flatMap(([template, path]) => {
    const shared = names.length > 1 && !template.includes('$(name)');
    if (shared) {
      const message = `${names.length} replicas would have the same disk, and two guests would destroy it`;
      const remedy = `name one for each, such as $(name)-${template}`;
      return [source.complain('DiskInUse', path, message, { remedy })];
    }
    for (const text of names.map((each) => withName(template, each))) {
      const name = volumeName(text);
      if (name === undefined) {
        const message = `with the name filled in it is "${text}": expected at most 32 lower-case letters, digits and "-"`;
        return [source.complain('InvalidValue', path, message)];
      }
      if (volumes.has(name) || mayExist(name)) continue;
      const words = dangling('Volume', name, volumes, mistakes);
      return [source.complain('UnknownReference', path, ...words)];
    }
    return [];
  });
}

/** Kernels and initial RAM disks, which replicas may share: nobody writes to them. */
export function bootImageProblems(
  { document, source }: Placed<SecondaryDocument>,
  { images, mayExist }: Surroundings,
  mistakes: number,
): Diagnostic[] {
  return bootImages(document).flatMap(([name, field, format]) => {
    const path = ['spec', 'boot', 'kernel', field];
    const image = images.get(name);
    if (image === undefined) {
      if (mayExist(name)) return [];
      const words = dangling('Image', name, images, mistakes);
      return [source.complain('UnknownReference', path, ...words)];
    }
    if (image.format === format) return [];
    const message = `Image "${name}" is of format ${image.format}: expected one of format ${format}`;
    return [source.complain('InvalidValue', path, message, { remedy: remedies[image.format] })];
  });
}

/** For who names an Image of that format where another one is needed. */
const remedies: { readonly [F in ImageFormat]: string } = {
  raw: 'a disk is booted by way of a Volume that begins as it (spec.boot.volume)',
  qcow2: 'a disk is booted by way of a Volume that begins as it (spec.boot.volume)',
  bzImage: 'a kernel is named by spec.boot.kernel.image',
  initrd: 'an initial RAM disk is named by spec.boot.kernel.initrdImage',
};

type BootImage = readonly [ImageName, field: 'image' | 'initrdImage', BootFormat];

function bootImages({ spec: { boot } }: SecondaryDocument): readonly BootImage[] {
  if (!('kernel' in boot) || !('image' in boot.kernel)) return [];
  const { image, initrdImage } = boot.kernel;
  const kernel = [image, 'image', 'bzImage'] as const;
  return initrdImage === undefined ? [kernel] : [kernel, [initrdImage, 'initrdImage', 'initrd']];
}

export function networkProblems(
  { document, source }: Placed<SecondaryDocument>,
  { network }: Surroundings,
): Diagnostic[] {
  if (document.spec.network === 'None' || network !== null) return [];
  const message = 'the Partition document describes no network';
  const remedy = 'give the Partition a spec.network, or say network: None';
  return [source.complain('UnknownReference', ['spec', 'network'], message, { remedy })];
}

function references({ spec }: SecondaryDocument): readonly (readonly [string, DocumentPath])[] {
  const { boot, disks } = spec;
  return [
    ...('volume' in boot ? [[boot.volume, ['spec', 'boot', 'volume']] as const] : []),
    ...disks.map(({ volume }, index) => [volume, ['spec', 'disks', index, 'volume']] as const),
  ];
}
