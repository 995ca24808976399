/**
 * What a guest cannot come up without, and what is missing, in the words of libvirt and of QEMU.
 * What somebody else's domain needs is in no store of ours.
 */
import { networkName, type Owner } from '../../model/identity.ts';
import type { ImageName, PartitionName } from '../../model/names.ts';
import { seedNamed } from '../../model/seed.ts';
import type { BootFormat, VolumeUse } from '../../model/volume.ts';
import { runningUser, usesOf } from './disk-uses.ts';
import { networkNamed } from './network-changes.ts';
import type { FilesMode } from './store.ts';
import type { Definition, SimulatedDomain, World } from './world.ts';

/** Null: nothing is missing. */
export function missingFor(
  world: World,
  { definition }: SimulatedDomain,
  files: FilesMode,
): string | null {
  const { owner } = definition;
  if (owner === null) return null;
  return (
    missingNetwork(world, owner, definition) ??
    missingFile(world, owner, definition, files) ??
    missingImage(world, owner, definition) ??
    missingVolume(world, owner, definition) ??
    missingSeed(world, owner, definition)
  );
}

function missingNetwork(world: World, { partition }: Owner, { fields }: Definition): string | null {
  if (fields.network !== 'Partition') return null;
  const name = networkName(partition);
  const network = networkNamed(world, name);
  if (network === null) return `Network not found: no network with matching name '${name}'`;
  return network.live === null ? `network '${name}' is not active` : null;
}

function missingFile(
  { files }: World,
  { partition }: Owner,
  { fields }: Definition,
  mode: FilesMode,
): string | null {
  if (mode === 'any') return null;
  const store = files.get(partition);
  const isMissing = (file: string | null) => file !== null && !store?.has(file);
  const missing = [fields.kernel, fields.initrd, fields.disk].find(isMissing) ?? null;
  return missing === null ? null : `unable to stat: ${missing}`;
}

function missingImage(
  { images }: World,
  { partition }: Owner,
  { fields: { kernelImage, initrdImage } }: Definition,
): string | null {
  const isMissing = (name: string | null, format: BootFormat) => {
    // Whatever is none of our names is that of no Image either.
    const image = images.get(partition)?.get(name as ImageName);
    return name !== null && (image?.state !== 'ready' || image.format !== format);
  };
  if (isMissing(kernelImage, 'bzImage')) return `unable to stat: ${kernelImage}`;
  return isMissing(initrdImage, 'initrd') ? `unable to stat: ${initrdImage}` : null;
}

function missingVolume(world: World, { partition }: Owner, { fields }: Definition): string | null {
  for (const use of usesOf(fields)) {
    const missing = missingUse(world, partition, use);
    if (missing !== null) return missing;
  }
  return null;
}

/** What keeps QEMU from opening it. */
export function missingUse(world: World, partition: PartitionName, use: VolumeUse): string | null {
  if (!isReady(world, partition, use)) {
    return `Cannot access storage file '${use.volume}': No such file or directory`;
  }
  const user = runningUser(world, partition, use.volume);
  return user === null ? null : 'Failed to get "write" lock';
}

function missingSeed(
  { seeds }: World,
  { partition, secondary }: Owner,
  { fields: { cloudInit, ignition } }: Definition,
): string | null {
  for (const digest of [cloudInit, ignition]) {
    const name = seedNamed(secondary, digest);
    if (name === null || seeds.get(partition)?.get(name)?.state === 'ready') continue;
    return `Cannot access storage file '${name}': No such file or directory`;
  }
  return null;
}

/** A disk's name says its format, so one of another format is not there either. */
function isReady({ volumes, images }: World, partition: PartitionName, use: VolumeUse): boolean {
  const volume = volumes.get(partition)?.get(use.volume);
  if (volume?.state !== 'ready' || volume.format !== use.format) return false;
  if (use.backing === null) return true;
  const image = images.get(partition)?.get(use.backing.image);
  return image?.state === 'ready' && image.format === use.backing.format;
}
