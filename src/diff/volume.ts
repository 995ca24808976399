/**
 * Volumes: wanted against kept. Data is only ever given up where the documents' policy said so, and
 * what would lose data on the way (another format, a smaller size) is refused here.
 */
import type { Observed, ObservedDomain } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import { byName, type ImageName, type VolumeName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { formatSize } from '../model/sizes.ts';
import {
  joinUses,
  type ObservedVolume,
  splitUses,
  toldBytes,
  useOf,
  type Volume,
} from '../model/volume.ts';
import type { Block, ImageChange, VolumeChange } from './change.ts';
import type { FieldChange, ResourceField } from './fields.ts';
import { copiesOwed } from './copies-owed.ts';
import { blocked, foreignBlock, looked, partBlocked } from './ownership.ts';
import { asStored, formBlock } from './volume-store.ts';

export function diffVolumes(
  desired: DesiredState,
  observed: Observed,
  images: readonly ImageChange[],
): readonly VolumeChange[] {
  const names = new Set([...desired.volumes.keys(), ...observed.volumes.keys()]);
  const users = runningUsers(observed);
  const changes = new Map(images.map((change) => [change.name, change]));
  const owed = copiesOwed(desired, observed);
  return [...names].sort(byName).flatMap((name) => {
    const volume = desired.volumes.get(name);
    if (volume === undefined) return unwanted(name, observed, owed.get(name) ?? []);
    return [wanted(volume, observed, changes, users)];
  });
}

function unwanted(
  name: VolumeName,
  observed: Observed,
  owedTo: readonly VolumeName[],
): VolumeChange[] {
  const seen = looked(observed.volumes.get(name));
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [blocked(name, 'HostUnknown', seen.why)];
  // Something foreign that nobody asks for is none of our business.
  if (foreignBlock(`Volume ${name}`, seen.value.owner, observed) !== null) return [];
  const { state, deletionPolicy } = seen.value;
  const stays = state === 'ready' && deletionPolicy === 'Retain';
  if (stays) return [{ kind: 'keep', name, observed: seen.value }];
  return [{ kind: 'delete', name, observed: seen.value, owedTo }];
}

function wanted(
  document: Volume,
  observed: Observed,
  images: ReadonlyMap<ImageName, ImageChange>,
  users: ReadonlyMap<VolumeName, ObservedDomain>,
): VolumeChange {
  const { name } = document;
  const seen = looked(observed.volumes.get(name));
  if (seen.status === 'unknown') return blocked(name, 'HostUnknown', seen.why);
  if (seen.status === 'absent')
    return creation(asStored(document, null, observed), null, images, observed);
  const there = seen.value;
  const volume = asStored(document, there, observed);
  const block = foreignBlock(`Volume ${name}`, there.owner, observed);
  if (block !== null) return { kind: 'blocked', name, block };
  if (there.state !== 'ready') return creation(volume, there, images, observed);
  // Nobody is stopped to be started with what may not be given to anybody.
  const unfit = there.thin?.unfit ?? null;
  if (unfit !== null) return blocked(name, 'HostUnknown', unfit);
  const refusal = refusalOf(volume, there) ?? groundBlock(volume, images, observed);
  if (refusal !== null) return { kind: 'blocked', name, block: refusal };
  const user = users.get(name) ?? null;
  const isOurs = user !== null && samePartition(user.owner, observed);
  if (user !== null && !isOurs && volume.sizeBytes !== toldBytes(there)) {
    const message = `domain "${user.domainName}", which is not of this partition, runs with it`;
    return blocked(name, 'VolumeInUse', message);
  }
  return {
    kind: 'update',
    name,
    volume,
    observed: there,
    fields: fieldsBetween(volume, there, user),
    user,
  };
}

function creation(
  volume: Volume,
  remains: ObservedVolume | null,
  images: ReadonlyMap<ImageName, ImageChange>,
  observed: Observed,
): VolumeChange {
  const { name, origin, sizeBytes } = volume;
  const image = origin === null ? undefined : images.get(origin.image);
  if (image?.kind === 'blocked')
    return { kind: 'blocked', name, block: partBlocked(`Image ${image.name}`, image.block) };
  if (image?.kind === 'unchanged' && image.observed.sizeBytes > sizeBytes) {
    const size = formatSize(image.observed.sizeBytes);
    const message = `Image ${image.name} is a disk of ${size}, which would not fit`;
    return blocked(name, 'ShrinkRefused', message);
  }
  const unkept = formBlock(volume, observed);
  if (unkept !== null) return { kind: 'blocked', name, block: unkept };
  return { kind: 'create', name, volume, remains };
}

/** An overlay is nothing without what it lies on. */
function groundBlock(
  { origin }: Volume,
  images: ReadonlyMap<ImageName, ImageChange>,
  observed: Observed,
): Block | null {
  if (origin?.provision !== 'Overlay') return null;
  const change = images.get(origin.image);
  const there = looked(observed.images.get(origin.image));
  const isWhole = there.status === 'present' && there.value.state === 'ready';
  return change?.kind === 'blocked' && !isWhole
    ? partBlocked(`Image ${change.name}`, change.block)
    : null;
}

function refusalOf(volume: Volume, there: ObservedVolume): Block | null {
  if (volume.format !== there.format) {
    const message = `it is ${there.format}, and making it ${volume.format} would lose its data`;
    return { code: 'FormatFixed', message };
  }
  const lies = joinUses([useOf(there)]);
  if (joinUses([useOf(volume)]) !== lies) {
    const { origin } = there;
    const began = origin === null ? 'empty' : `as ${origin.provision} of Image ${origin.image}`;
    return { code: 'OriginFixed', message: `it has begun ${began}, and that cannot change` };
  }
  if (volume.sizeBytes >= there.sizeBytes) return null;
  const sizes = `${formatSize(there.sizeBytes)} to ${formatSize(volume.sizeBytes)}`;
  return { code: 'ShrinkRefused', message: `from ${sizes} it would lose what is behind its end` };
}

function fieldsBetween(
  volume: Volume,
  there: ObservedVolume,
  user: ObservedDomain | null,
): FieldChange[] {
  const impact = user === null ? 'none' : 'live';
  const fields: FieldChange[] = [];
  // What LVM has made larger already is one that its guests are to know of.
  const known = { ...there, sizeBytes: toldBytes(there) };
  const compare = (field: 'sizeBytes' | 'deletionPolicy', path: string) => {
    if (volume[field] === known[field]) return;
    const ends = { from: known[field], to: volume[field] };
    fields.push({ field, path, ...ends, impact, origin: 'document' });
  };
  compare('sizeBytes', 'spec.size');
  compare('deletionPolicy', 'spec.deletionPolicy');
  return fields;
}

/** Everything that a new Volume is, as a plan shows it. */
export function initialVolumeFields({
  sizeBytes,
  format,
  origin,
  copyOf,
  deletionPolicy,
}: Volume): FieldChange[] {
  const field = (name: ResourceField, path: string, to: string | number): FieldChange => {
    return { field: name, path, from: null, to, impact: 'none', origin: 'document' };
  };
  return [
    field('sizeBytes', 'spec.size', sizeBytes),
    field('format', 'spec.format', format),
    ...(origin === null
      ? []
      : [
          field('image', 'spec.image', origin.image),
          field('provision', 'spec.provision', origin.provision),
        ]),
    ...(copyOf === null ? [] : [field('copyOf', 'spec.copyOf', copyOf)]),
    field('deletionPolicy', 'spec.deletionPolicy', deletionPolicy),
  ];
}

/** By Volume: the guest that has it open. */
function runningUsers({ domains }: Observed): ReadonlyMap<VolumeName, ObservedDomain> {
  const users = new Map<VolumeName, ObservedDomain>();
  for (const domain of domains.values()) {
    if (domain.status !== 'present' || domain.value.live === null) continue;
    for (const name of volumesOf(domain.value.live)) users.set(name, domain.value);
  }
  return users;
}

/** The names of the Volumes that a domain has, the one that it boots from included. */
export function volumesOf(fields: {
  readonly bootVolume: string | null;
  readonly volumes: string;
}): readonly VolumeName[] {
  const known = volumesKnown.get(fields);
  if (known !== undefined) return known;
  const uses = [fields.bootVolume ?? '', fields.volumes].flatMap(splitUses);
  const volumes = uses.map(({ volume }) => volume);
  volumesKnown.set(fields, volumes);
  return volumes;
}

/** Everybody asks, several times in one plan, and taking the text apart is dear. Fields never change. */
const volumesKnown = new WeakMap<object, readonly VolumeName[]>();
