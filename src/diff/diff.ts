/**
 * Desired state against observation. What others are made of comes first, so that whoever needs
 * something that is blocked is blocked too, with its name. Pure and total.
 */
import type { Observed } from '../model/domain.ts';
import { PRIMARY_STATION, type SecondaryName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { usesOf } from '../model/secondary.ts';
import { bootImageBlock } from './boot-images.ts';
import type {
  Block,
  Changes,
  FilterChange,
  ImageChange,
  NetworkChange,
  SeedChange,
  SliceChange,
  VolumeChange,
} from './change.ts';
import { diffSecondaries, type PartsOf } from './domain.ts';
import { diffFilter } from './filter.ts';
import {
  type Held,
  heldFilter,
  heldImages,
  heldIntakes,
  heldNetwork,
  heldNic,
  heldSeeds,
  heldSlice,
  heldVolumes,
  nothingHeld,
} from './held.ts';
import { diffImageDisk, offDiskBlock } from './image-disk.ts';
import { diffImages } from './image.ts';
import { awaitingIntakes, diffIntakes } from './intake.ts';
import { diffNetwork } from './network.ts';
import { diffNic } from './nic.ts';
import { partBlocked } from './ownership.ts';
import { diffPrimary } from './primary.ts';
import { diffSeeds } from './seed.ts';
import { diffSlice } from './slice.ts';
import { blockCopies } from './volume-copy.ts';
import { diffVolumes } from './volume.ts';
import { vsockFrom, type VsockOf } from './vsock.ts';

export function diff(desired: DesiredState, observed: Observed, held: Held = nothingHeld): Changes {
  const imageDisk = diffImageDisk(desired, observed, held);
  const offDisk = offDiskBlock(desired, imageDisk);
  const sourced = heldImages(diffImages(desired, observed, offDisk), held);
  const intakes = heldIntakes(diffIntakes(desired, observed, imageDisk, sourced), held);
  const images = awaitingIntakes(sourced, intakes);
  const volumes = blockCopies(heldVolumes(diffVolumes(desired, observed, images), held), observed);
  const seeds = heldSeeds(diffSeeds(desired, observed), held);
  const network = heldNetwork(diffNetwork(desired, observed), held);
  const filter = heldFilter(diffFilter(network, observed), held);
  const slice = heldSlice(diffSlice(desired, observed), held);
  const vsock = vsockFrom(desired, observed);
  const parts = { images, volumes, seeds, network, filter, slice, vsock };
  const secondaries = diffSecondaries(desired, observed, partsFrom(parts, observed));
  const primary = diffPrimary(desired, observed, held);
  const block = networkBlock(PRIMARY_STATION, network) ?? filterBlock(filter);
  const nic = heldNic(diffNic(desired, observed, network, block), held);
  const { share } = desired;
  const stored = { imageDisk, intakes, images, seeds, volumes };
  return { share, primary, slice, network, filter, nic, ...stored, secondaries };
}

interface Parts {
  readonly images: readonly ImageChange[];
  readonly volumes: readonly VolumeChange[];
  readonly seeds: readonly SeedChange[];
  readonly network: NetworkChange | null;
  readonly filter: FilterChange | null;
  readonly slice: SliceChange | null;
  readonly vsock: VsockOf;
}

function partsFrom(
  { images, volumes, seeds, network, filter, slice, vsock }: Parts,
  observed: Observed,
): PartsOf {
  const byImage = new Map(images.map((change) => [change.name, change]));
  const blocks = new Map(
    volumes.flatMap((change) =>
      change.kind === 'blocked' ? [[change.name, change.block] as const] : [],
    ),
  );
  const seedBlocks = new Map(
    seeds.flatMap((change) =>
      change.kind === 'blocked' ? [[change.name, change.block] as const] : [],
    ),
  );
  return (secondary) => {
    const unbootable = bootImageBlock(secondary, byImage, observed);
    if (unbootable !== null) return unbootable;
    for (const { volume } of usesOf(secondary)) {
      const block = blocks.get(volume);
      if (block !== undefined) return partBlocked(`Volume ${volume}`, block);
    }
    const seedBlock = secondary.seed === null ? undefined : seedBlocks.get(secondary.seed.name);
    if (seedBlock !== undefined) return partBlocked('its seed', seedBlock);
    if (secondary.slice === 'Partition' && slice?.kind === 'blocked') {
      return partBlocked('the slice', slice.block);
    }
    const address = vsock(secondary);
    if (address !== null) return address;
    if (secondary.network === 'None') return null;
    return networkBlock(secondary.name, network) ?? filterBlock(filter);
  };
}

function networkBlock(name: SecondaryName, network: NetworkChange | null): Block | null {
  if (network === null || network.kind === 'delete') {
    const message = 'the partition has no network: give it one with a Partition document';
    return { code: 'NetworkMissing', message };
  }
  if (network.kind === 'blocked') return partBlocked('the network', network.block);
  if (network.kind === 'update' && network.theirs.has(name)) {
    const message = `somebody has given the name ${name} an address of the network already`;
    return { code: 'NameTaken', message };
  }
  if (hasAddress(name, network)) return null;
  return { code: 'NoFreeAddress', message: `no address of ${network.fields.cidr} is free` };
}

/** Nobody comes up on the network unfiltered. */
function filterBlock(filter: FilterChange | null): Block | null {
  return filter?.kind === 'blocked' ? partBlocked('the packet filter', filter.block) : null;
}

function hasAddress(
  name: SecondaryName,
  network: Extract<NetworkChange, { kind: 'create' | 'update' }>,
): boolean {
  if (network.kind === 'create') return network.reservations.has(name);
  const { reserve, unreserve, observed } = network;
  if (reserve.has(name)) return true;
  return observed.reservations.has(name) && !unreserve.includes(name);
}
