/**
 * What each mutating call does to a simulated host's Volumes, and what it refuses. As with domains,
 * each function changes the world or throws, and never both.
 */
import type { DomainRef } from '../../model/domain.ts';
import type { PartitionOwner } from '../../model/identity.ts';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import type { DeletionPolicy, StoredState, Volume, VolumeOrigin } from '../../model/volume.ts';
import { find, guestOf } from './domain-changes.ts';
import { runningUser, usesOf } from './disk-uses.ts';
import { checkPlace, findOurs, isOf, put } from './kept.ts';
import { conflict, refused } from './refusal.ts';
import type { SimulatedVolume, World } from './world.ts';

/** @param state how far it gets: a crash leaves it `creating` */
export function createVolume(
  world: World,
  owner: PartitionOwner,
  volume: Volume,
  state: StoredState,
): void {
  const { name, sizeBytes, format, origin, copyOf, deletionPolicy } = volume;
  const doing = `creating volume ${name}`;
  checkPlace(world.volumes.get(owner.partition)?.get(name), owner, doing);
  if (origin !== null) checkOrigin(world, owner, volume, origin);
  if (copyOf !== null) checkSource(world, owner, volume, copyOf);
  const made = { owner, state, sizeBytes, format, origin, copyOf, deletionPolicy };
  put(world.volumes, owner.partition, name, made);
}

function checkOrigin(
  { images }: World,
  owner: PartitionOwner,
  { name, format, sizeBytes }: Volume,
  origin: VolumeOrigin,
): void {
  const doing = `creating volume ${name}`;
  const image = images.get(owner.partition)?.get(origin.image);
  if (image?.state !== 'ready' || !isOf(image, owner)) {
    throw refused(doing, `image ${origin.image} is not ready`);
  }
  if (image.digest !== origin.digest || image.format !== origin.format) {
    throw refused(doing, `image ${origin.image} is not the one that is meant`);
  }
  const formatNeeded = origin.provision === 'Copy' ? image.format : 'qcow2';
  if (format !== formatNeeded) {
    throw refused(doing, `a ${format} cannot be made by ${origin.provision} of ${image.format}`);
  }
  if (image.sizeBytes > sizeBytes) throw refused(doing, `image ${origin.image} is larger`);
}

function checkSource(world: World, owner: PartitionOwner, volume: Volume, from: VolumeName): void {
  const doing = `creating volume ${volume.name}`;
  const source = world.volumes.get(owner.partition)?.get(from);
  if (source?.state !== 'ready' || !isOf(source, owner)) {
    throw refused(doing, `volume ${from} is not ready`);
  }
  if (source.format !== volume.format || groundOf(source.origin) !== groundOf(volume.origin)) {
    throw refused(doing, `volume ${from} is of another kind`);
  }
  if (source.sizeBytes > volume.sizeBytes) throw refused(doing, `volume ${from} is larger`);
}

function groundOf(origin: VolumeOrigin | null): string | null {
  return origin?.provision === 'Overlay' ? origin.image : null;
}

/** QEMU holds the lock of what its guest uses. */
export function growVolume(
  world: World,
  owner: PartitionOwner,
  name: VolumeName,
  bytes: number,
): void {
  const doing = `growing volume ${name}`;
  const volume = findReady(world, owner, name, doing);
  const user = runningUser(world, owner.partition, name);
  if (user !== null) throw refused(doing, 'Failed to get "write" lock');
  enlarge(volume, bytes, doing);
}

export function growDisk(world: World, ref: DomainRef, name: VolumeName, bytes: number): void {
  const doing = `growing a disk of ${ref.domainName}`;
  const domain = find(world, ref, 'growing a disk of');
  const { fields } = guestOf(domain, 'growing a disk of');
  const volume = volumeOf(world, domain.definition.owner?.partition, name);
  if (volume === null || !usesOf(fields).some((use) => use.volume === name)) {
    throw refused(doing, `disk '${name}' was not found in the domain config`);
  }
  enlarge(volume, bytes, doing);
}

function volumeOf(
  { volumes }: World,
  partition: PartitionName | undefined,
  name: VolumeName,
): SimulatedVolume | null {
  return partition === undefined ? null : (volumes.get(partition)?.get(name) ?? null);
}

function enlarge(volume: SimulatedVolume, bytes: number, doing: string): void {
  if (bytes < volume.sizeBytes) throw refused(doing, `it has ${volume.sizeBytes} bytes already`);
  volume.sizeBytes = bytes;
}

export function setDeletionPolicy(
  world: World,
  owner: PartitionOwner,
  name: VolumeName,
  policy: DeletionPolicy,
): void {
  findReady(world, owner, name, `marking volume ${name}`).deletionPolicy = policy;
}

/** One that is gone is gone. */
export function deleteVolume({ volumes }: World, owner: PartitionOwner, name: VolumeName): void {
  findOurs(volumes, owner, name, `deleting volume ${name}`);
  volumes.get(owner.partition)?.delete(name);
}

/** Its data is nobody's any more, and still there. */
export function beginDeleteVolume(
  { volumes }: World,
  owner: PartitionOwner,
  name: VolumeName,
): void {
  const volume = findOurs(volumes, owner, name, `deleting volume ${name}`);
  if (volume !== null) volume.state = 'deleting';
}

function findReady(
  { volumes }: World,
  owner: PartitionOwner,
  name: VolumeName,
  doing: string,
): SimulatedVolume {
  const volume = findOurs(volumes, owner, name, doing);
  if (volume?.state === 'ready') return volume;
  throw conflict(doing, volume === null ? 'there is none' : `it is ${volume.state}`);
}
