/**
 * How each kind of operation is carried out: check, act, observe that it is so. An executor decides
 * nothing; if the world is neither as the plan saw it nor as the plan wants it, that is a conflict.
 */
import type { Host } from '../host/ports.ts';
import type { Owner, PartitionOwner } from '../model/identity.ts';
import type { SeedContent, SeedName } from '../model/seed.ts';
import type { OperationKind, OperationOf, StopStep } from '../plan/operation.ts';
import { defineDomain, noteStop, undefineDomain } from './domain-definition.ts';
import { attachDisk, detachDisk } from './domain-disks.ts';
import { setDomainMemory } from './domain-memory.ts';
import { deleteImage, importImage, verifyImage } from './image.ts';
import {
  createImageDisk,
  deleteImageDisk,
  lendImageDisk,
  reworkImageDisk,
  takeImageDisk,
} from './image-disk.ts';
import { createIntake, deleteIntake, fillIntake, lendDisk, takeDisk } from './intake.ts';
import {
  defineNetwork,
  reserveAddress,
  startNetwork,
  stopNetwork,
  undefineNetwork,
  unreserveAddress,
} from './network.ts';
import { plugPrimary, unplugPrimary } from './nic.ts';
import { createSeed, deleteSeed } from './seed.ts';
import { setPrimaryMemory, setPrimaryVcpus } from './primary.ts';
import { applyFilter, closePort, removeFilter } from './filter.ts';
import { applySlice, removeSlice } from './slice.ts';
import { createVolume, deleteVolume, growDisk, growVolume, setDeletionPolicy } from './volume.ts';
import { awaitReady, resumeDomain, startDomain } from './domain-power.ts';
import { stopDomain } from './domain-stop.ts';

/** With how it was done, where there is more than one way. */
export type Done = 'applied' | 'already' | { readonly status: 'applied'; readonly how: StopStep };

/** What an executor may use: the host, a monotonic clock in milliseconds, and when to give up. */
export interface Workbench {
  readonly host: Host;
  /** Whose domain the operation acts on; null for one that acts on none. */
  readonly owner: Owner | null;
  readonly us: PartitionOwner;
  /** Beside the plan, which holds no secrets. */
  readonly seedContents: ReadonlyMap<SeedName, SeedContent>;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export type Executors = {
  readonly [K in OperationKind]: (operation: OperationOf<K>, bench: Workbench) => Promise<Done>;
};

export const executors: Executors = {
  'installation.record': ({ installation }, { host }) => host.installation.record(installation),
  'domain.define': defineDomain,
  'domain.set-memory': setDomainMemory,
  'domain.start': startDomain,
  'domain.resume': resumeDomain,
  'domain.stop': stopDomain,
  'domain.await-ready': awaitReady,
  'domain.note-stop': ({ domain }, bench) => noteStop(domain, true, bench),
  'domain.forget-stop': ({ domain }, bench) => noteStop(domain, false, bench),
  'domain.undefine': undefineDomain,
  'domain.attach-disk': attachDisk,
  'domain.detach-disk': detachDisk,
  'domain.grow-disk': growDisk,
  'volume.create': createVolume,
  'volume.grow': growVolume,
  'volume.set-deletion-policy': setDeletionPolicy,
  'volume.delete': deleteVolume,
  'intake.create': createIntake,
  'intake.delete': deleteIntake,
  'primary.lend-disk': lendDisk,
  'primary.take-disk': takeDisk,
  'intake.fill': fillIntake,
  'image-disk.create': createImageDisk,
  'image-disk.rework': reworkImageDisk,
  'image-disk.delete': deleteImageDisk,
  'primary.lend-image-disk': lendImageDisk,
  'primary.take-image-disk': takeImageDisk,
  'image.verify': verifyImage,
  'image.import': importImage,
  'image.delete': deleteImage,
  'seed.create': createSeed,
  'seed.delete': deleteSeed,
  'primary.set-vcpus': setPrimaryVcpus,
  'primary.set-memory': setPrimaryMemory,
  'primary.plug': plugPrimary,
  'primary.unplug': unplugPrimary,
  'slice.apply': applySlice,
  'slice.remove': removeSlice,
  'filter.apply': applyFilter,
  'filter.close': closePort,
  'filter.remove': removeFilter,
  'network.define': defineNetwork,
  'network.start': startNetwork,
  'network.stop': stopNetwork,
  'network.undefine': undefineNetwork,
  'network.reserve': reserveAddress,
  'network.unreserve': unreserveAddress,
};
