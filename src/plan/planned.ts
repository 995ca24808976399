/** One change of any kind as its line of a plan, with the operations behind it. */
import type {
  Change,
  FilterChange,
  ImageChange,
  ImageDiskChange,
  IntakeChange,
  NetworkChange,
  NicChange,
  PrimaryChange,
  SeedChange,
  SliceChange,
  VolumeChange,
} from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Resource, ResourceKind } from '../model/resource.ts';
import type { PlanEntry } from './entry.ts';
import { filterCreateSteps, filterDeleteSteps, filterUpdateSteps } from './filter.ts';
import { intakeCreateSteps, intakeDeleteSteps, intakeUpdateSteps } from './intake.ts';
import { imageCreateSteps, imageDeleteSteps } from './image.ts';
import {
  heldWork,
  imageDiskCreateSteps,
  imageDiskDeleteSteps,
  imageDiskUpdateSteps,
} from './image-disk.ts';
import {
  networkCreateSteps,
  networkDeleteSteps,
  networkUpdateSteps,
  type Staying,
} from './network.ts';
import { nicPlugSteps, nicUnplugSteps } from './nic.ts';
import type { Operation } from './operation.ts';
import type { PrimaryGoal } from './admission.ts';
import { primarySteps } from './primary.ts';
import { seedCreateSteps, seedDeleteSteps } from './seed.ts';
import { sliceCreateSteps, sliceDeleteSteps, sliceUpdateSteps } from './slice.ts';
import {
  createSteps,
  type DeletionContext,
  deleteSteps,
  type PlanContext,
  updateSteps,
} from './steps.ts';
import type { Steps } from './work.ts';
import { volumeCreateSteps, volumeDeleteSteps, volumeUpdateSteps } from './volume.ts';

export interface Planned {
  readonly entry: PlanEntry;
  readonly operations: readonly Operation[];
}

type Context = PlanContext & DeletionContext;

export function planSecondary(change: Change, context: Context): Planned {
  const resource = { kind: 'secondary', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'create':
      return entryOf('create', resource, createSteps(change, context));
    case 'delete':
      return entryOf('delete', resource, deleteSteps(change, context));
    case 'update':
      return entryOf('update', resource, updateSteps(change, context));
  }
}

/** @param isGivenUp whether the guest that has it is shut down by this plan, or lets go of it */
export function planVolume(change: VolumeChange, context: Context, isGivenUp: boolean): Planned {
  const resource = { kind: 'volume', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'keep':
      return without({ kind: 'kept', resource });
    case 'create':
      return entryOf('create', resource, volumeCreateSteps(change));
    case 'delete':
      return entryOf('delete', resource, volumeDeleteSteps(change, context));
    case 'update':
      return entryOf('update', resource, volumeUpdateSteps(change, isGivenUp));
  }
}

/** @param images as this plan takes them */
export function planImageDisk(
  change: ImageDiskChange,
  context: Context,
  images: readonly ImageChange[],
): Planned {
  const resource = { kind: 'image-disk', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'create':
      return entryOf('create', resource, imageDiskCreateSteps(change));
    case 'update': {
      const steps = imageDiskUpdateSteps(change, images);
      const block = steps.operations.length === 0 ? heldWork(change) : null;
      if (block !== null) return without({ kind: 'blocked', resource, block });
      return entryOf('update', resource, steps);
    }
    case 'delete':
      return entryOf('delete', resource, imageDiskDeleteSteps(change, context));
  }
}

export function planIntake(change: IntakeChange, context: Context): Planned {
  const resource = { kind: 'intake', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'create':
      return entryOf('create', resource, intakeCreateSteps(change));
    case 'update':
      return entryOf('update', resource, intakeUpdateSteps(change));
    case 'delete':
      return entryOf('delete', resource, intakeDeleteSteps(change, context));
  }
}

export function planImage(change: ImageChange, context: Context): Planned {
  const resource = { kind: 'image', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'keep':
      return without({ kind: 'kept', resource });
    case 'unchanged':
      return without({ kind: 'unchanged', resource, waiting: [] });
    case 'create':
      return entryOf(
        change.remains?.state === 'ready' ? 'update' : 'create',
        resource,
        imageCreateSteps(change),
      );
    case 'delete':
      return entryOf('delete', resource, imageDeleteSteps(change, context));
  }
}

export function planSeed(change: SeedChange, context: Context): Planned {
  const resource = { kind: 'seed', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'keep':
      return without({ kind: 'kept', resource });
    case 'unchanged':
      return without({ kind: 'unchanged', resource, waiting: [] });
    case 'create':
      return entryOf('create', resource, seedCreateSteps(change));
    case 'delete':
      return entryOf('delete', resource, seedDeleteSteps(change, context));
  }
}

/** @param staying whose domains this plan leaves as they are */
export function planNetwork(change: NetworkChange, context: Context, staying: Staying): Planned {
  const resource = { kind: 'network', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'create':
      return entryOf('create', resource, networkCreateSteps(change, context));
    case 'delete':
      return entryOf('delete', resource, networkDeleteSteps(change, context));
    case 'update':
      return entryOf('update', resource, networkUpdateSteps(change, context, staying));
  }
}

/** @param goal null: it stays as it is */
export function planPrimary(change: PrimaryChange, goal: PrimaryGoal | null): Planned {
  const resource = { kind: 'primary', name: change.name } as const;
  if (change.kind === 'blocked') return without({ kind: 'blocked', resource, block: change.block });
  // As long as somebody needs what it does not give, and only then, is its failure worth a line.
  if (change.held !== null) return without({ kind: 'blocked', resource, block: change.held });
  if (goal === null) return without({ kind: 'unchanged', resource, waiting: [] });
  return entryOf('update', resource, primarySteps(change, goal.goal, goal.after));
}

/** @param closing who loses their address by this plan */
export function planFilter(
  change: FilterChange,
  context: Context,
  closing: readonly SecondaryName[],
): Planned {
  const resource = { kind: 'filter', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'create':
      return entryOf('create', resource, filterCreateSteps(change, context, closing));
    case 'update':
      return entryOf('update', resource, filterUpdateSteps(change, context, closing));
    case 'delete':
      return entryOf('delete', resource, filterDeleteSteps(change, context, context));
  }
}

export function planNic(change: NicChange, context: Context): Planned {
  const resource = { kind: 'nic', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'create':
    case 'update':
      return entryOf(change.kind, resource, nicPlugSteps(change));
    case 'delete':
      return entryOf('delete', resource, nicUnplugSteps(change, context));
  }
}

export function planSlice(change: SliceChange, context: Context): Planned {
  const resource = { kind: 'slice', name: change.name } as const;
  switch (change.kind) {
    case 'blocked':
      return without({ kind: 'blocked', resource, block: change.block });
    case 'keep':
      return without({ kind: 'kept', resource });
    case 'create':
      return entryOf('create', resource, sliceCreateSteps(change, context));
    case 'update':
      return entryOf('update', resource, sliceUpdateSteps(change, context));
    case 'delete':
      return entryOf('delete', resource, sliceDeleteSteps(change, context, context));
  }
}

function without(entry: PlanEntry): Planned {
  return { entry, operations: [] };
}

function entryOf(
  kind: 'create' | 'update' | 'delete',
  resource: Resource & { readonly kind: ResourceKind },
  { operations, ...work }: Steps,
): Planned {
  if (operations.length === 0) {
    return without({ kind: 'unchanged', resource, waiting: work.waiting });
  }
  const entry = { kind, resource, ...work, operations: operations.map(({ id }) => id) };
  return { entry, operations };
}
