/**
 * A Secondary of the host as the documents that would have made it, the Volumes that it has, the
 * Images that they lie on, and those that it is booted with included: `plan` over them finds nothing to do. Only what documents can
 * say is in them.
 */
import { volumesOf } from '../diff/volume.ts';
import { type DomainFields, type Observed, splitLabels } from '../model/domain.ts';
import {
  FILE_NAME_PATTERN,
  type ImageName,
  type SecondaryName,
  type VolumeName,
} from '../model/names.ts';
import { NETWORK_CHOICES, type NetworkChoice } from '../model/secondary.ts';
import { formatSize } from '../model/sizes.ts';
import { type Image, type ObservedImage, type ObservedVolume, splitUses } from '../model/volume.ts';
import { bootedWith } from '../diff/boot-images.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** @throws CommandError `partial` if the host has something that no document can say */
export function exportDocuments(
  name: SecondaryName,
  fields: DomainFields,
  observed: Observed,
): readonly object[] {
  const volumes = volumesOf(fields).map((volume) => seenVolume(name, volume, observed));
  const overlays = volumes.flatMap(({ origin }) =>
    origin?.provision === 'Overlay' ? [origin] : [],
  );
  const booted = bootedWith(fields).map((image) => seenImage(name, image, observed));
  const images = new Map<ImageName, KnownBytes>([
    ...overlays.map((origin) => [origin.image, { ...origin, name: origin.image }] as const),
    ...booted.map((image) => [image.name, image] as const),
  ]);
  if (fields.cloudInit !== null || fields.ignition !== null) throw secretPart(name);
  return [
    ...[...images.values()].map(imageDocument),
    ...volumes.map(volumeDocument),
    secondaryDocument(name, fields),
  ];
}

/** A host keeps what a guest is told at its first boot, and tells it to nobody else. */
function secretPart(name: SecondaryName): CommandError {
  const message = `${name} has a seed for its first boot, which is not read back: it may hold secrets`;
  return new CommandError(exitCodes.partial, message, {
    remedy: 'take the document that it was made from; `unnest describe` shows the digest',
  });
}

function seenVolume(name: SecondaryName, volume: VolumeName, observed: Observed): ObservedVolume {
  const seen = observed.volumes.get(volume);
  if (seen?.status === 'present') return seen.value;
  const why = seen?.status === 'unknown' ? seen.why : 'it is not in the store';
  const message = `${name} has Volume ${volume}, which cannot be exported`;
  throw new CommandError(exitCodes.partial, message, { cause: new Error(why) });
}

function seenImage(name: SecondaryName, image: string, observed: Observed): ObservedImage {
  // Whatever is none of our names is that of no Image either.
  const seen = observed.images.get(image as ImageName);
  if (seen?.status === 'present') return seen.value;
  const why = seen?.status === 'unknown' ? seen.why : 'it is not in the store';
  const message = `${name} boots Image ${image}, which cannot be exported`;
  throw new CommandError(exitCodes.partial, message, { cause: new Error(why) });
}

/** A copy needs its Image no more, so that the Volume is written as if it had begun empty. */
function volumeDocument({ name, sizeBytes, format, origin, deletionPolicy }: ObservedVolume) {
  const lies = origin?.provision === 'Overlay' ? { image: origin.image, provision: 'Overlay' } : {};
  const spec = { size: formatSize(sizeBytes), format, ...lies, deletionPolicy };
  return { apiVersion: 'unnest.dev/v1', kind: 'Volume', metadata: { name }, spec };
}

type KnownBytes = Pick<Image, 'name' | 'digest' | 'format'>;

/** The host does not know any more which file it was; nothing looks at it as long as it is there. */
function imageDocument({ name, digest, format }: KnownBytes): object {
  const spec = { digest, format, source: { file: `${name}.${format}` } };
  return { apiVersion: 'unnest.dev/v1', kind: 'Image', metadata: { name }, spec };
}

function secondaryDocument(name: SecondaryName, fields: DomainFields): object {
  const { vcpus, memoryBytes, serialConsole, runPolicy, updatePolicy, stopGraceMs } = fields;
  const labels = splitLabels(fields.labels);
  return {
    apiVersion: 'unnest.dev/v1',
    kind: 'Secondary',
    metadata: { name, ...(labels.size > 0 ? { labels: Object.fromEntries(labels) } : {}) },
    spec: {
      vcpus,
      memory: formatSize(memoryBytes),
      boot: bootOf(name, fields),
      ...disksOf(name, fields),
      network: networkOf(name, fields),
      serialConsole,
      runPolicy,
      updatePolicy,
      terminationGracePeriodSeconds: stopGraceMs / 1000,
      ...(fields.guestAgent ? { guestAgent: true } : {}),
      ...(fields.forceStop ? {} : { forceStop: false }),
      ...(fields.protect ? { protect: true } : {}),
      ...(fields.startAfter === '' ? {} : { startAfter: fields.startAfter.split(',') }),
      ...(fields.readiness === 'Running' ? {} : { readiness: fields.readiness }),
      ...(fields.readinessPort === null ? {} : { readinessPort: fields.readinessPort }),
    },
  };
}

function disksOf(name: SecondaryName, { volumes }: DomainFields): object {
  if (volumes === '') return {};
  const uses = splitUses(volumes);
  if (uses.length < volumes.split(',').length) throw foreignPart(name, volumes);
  return { disks: uses.map(({ volume }) => ({ volume })) };
}

function networkOf(name: SecondaryName, { network }: DomainFields): NetworkChoice {
  const choice = NETWORK_CHOICES.find((each) => each === network);
  if (choice === undefined) throw foreignPart(name, network);
  return choice;
}

function foreignPart(name: SecondaryName, what: string): CommandError {
  return new CommandError(exitCodes.partial, `${name} has ${what}, which no document can say`);
}

function bootOf(name: SecondaryName, fields: DomainFields): object {
  const { kernel, initrd, kernelImage, initrdImage, ...more } = fields;
  const { commandLine, disk, diskFormat, bootVolume } = more;
  if (bootVolume !== null) {
    const [use] = splitUses(bootVolume);
    if (use === undefined) throw foreignPart(name, bootVolume);
    return { volume: use.volume };
  }
  for (const file of [kernel, initrd, disk]) {
    if (file === null || FILE_NAME_PATTERN.test(file)) continue;
    const message = `${name} uses ${file}, which is outside the partition's store`;
    throw new CommandError(exitCodes.partial, message);
  }
  if (disk !== null) return { disk: { file: disk, format: diskFormat } };
  if (kernelImage !== null) {
    if (initrd !== null) throw foreignPart(name, initrd);
    return {
      kernel: {
        image: kernelImage,
        ...(initrdImage === null ? {} : { initrdImage }),
        commandLine: commandLine ?? '',
      },
    };
  }
  if (initrdImage !== null) throw foreignPart(name, `Image ${initrdImage} without a kernel Image`);
  return {
    kernel: {
      file: kernel,
      ...(initrd === null ? {} : { initrd }),
      commandLine: commandLine ?? '',
    },
  };
}
