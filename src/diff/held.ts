/**
 * What is not to be touched for a while, though it differs: something about it has failed, and is
 * tried again later. Told here and not in the plan, so that whoever needs it is blocked with it.
 */
import type { ImageName } from '../model/names.ts';
import { type ResourceKind, resourceKey } from '../model/resource.ts';
import type {
  Block,
  Blocked,
  FilterChange,
  ImageChange,
  IntakeChange,
  NetworkChange,
  NicChange,
  SeedChange,
  SliceChange,
  VolumeChange,
} from './change.ts';
import { blocked } from './ownership.ts';

/** Of all but Secondaries, by `resourceKey`. Holds of Secondaries are the plan's. */
export type Held = ReadonlyMap<string, Block>;

export const nothingHeld: Held = new Map();

export function heldImages(changes: readonly ImageChange[], held: Held): readonly ImageChange[] {
  const isWorkOfImage = ({ kind }: ImageChange) => kind === 'create' || kind === 'delete';
  return changes.map((change) => {
    const fetching = held.get(fetchKey(change.name));
    if (fetching !== undefined && isFetched(change)) {
      return blocked(change.name, fetching.code, fetching.message);
    }
    return heldOne('image', change, held, isWorkOfImage);
  });
}

/** Under which it is held why an Image is not being fetched. */
export function fetchKey(image: ImageName): string {
  return `fetch/${image}`;
}

function isFetched(change: ImageChange): boolean {
  return change.kind === 'blocked' && change.block.code === 'Fetching';
}

export function heldIntakes(changes: readonly IntakeChange[], held: Held): readonly IntakeChange[] {
  const isWorkOfIntake = (change: IntakeChange) =>
    change.kind === 'update'
      ? change.borrower !== null || change.from !== null
      : change.kind !== 'blocked';
  return changes.map((change) => heldOne('intake', change, held, isWorkOfIntake));
}

export function heldSeeds(changes: readonly SeedChange[], held: Held): readonly SeedChange[] {
  const isWorkOfSeed = ({ kind }: SeedChange) => kind === 'create' || kind === 'delete';
  return changes.map((change) => heldOne('seed', change, held, isWorkOfSeed));
}

export function heldVolumes(changes: readonly VolumeChange[], held: Held): readonly VolumeChange[] {
  return changes.map((change) => heldOne('volume', change, held, isWork));
}

function isWork(change: VolumeChange): boolean {
  switch (change.kind) {
    case 'create':
    case 'delete':
      return true;
    case 'update':
      return change.fields.length > 0;
    case 'keep':
    case 'blocked':
      return false;
  }
}

export function heldSlice(change: SliceChange | null, held: Held): SliceChange | null {
  return change === null ? null : heldOne('slice', change, held, hasWork);
}

export function heldFilter(change: FilterChange | null, held: Held): FilterChange | null {
  return change === null ? null : heldOne('filter', change, held, hasWork);
}

export function heldNic(change: NicChange | null, held: Held): NicChange | null {
  if (change === null || change.kind === 'blocked') return change;
  const isWorkOfNic = (each: NicChange) =>
    each.kind === 'delete' || (each.kind !== 'blocked' && !each.isSo);
  return heldOne('nic', change, held, isWorkOfNic);
}

function hasWork(change: SliceChange | FilterChange): boolean {
  switch (change.kind) {
    case 'create':
    case 'delete':
      return true;
    case 'update':
      return change.changes.length > 0;
    case 'keep':
    case 'blocked':
      return false;
  }
}

export function heldNetwork(change: NetworkChange | null, held: Held): NetworkChange | null {
  return change === null ? null : heldOne('network', change, held, needsWork);
}

function needsWork(change: NetworkChange): boolean {
  switch (change.kind) {
    case 'create':
    case 'delete':
      return true;
    case 'update': {
      const { definition, running, reserve, unreserve, activate } = change;
      const count = definition.length + running.length + reserve.size + unreserve.length;
      return count > 0 || activate;
    }
    case 'blocked':
      return false;
  }
}

/** What there is nothing to do about is not held either. */
function heldOne<C extends { readonly name: string }>(
  kind: ResourceKind,
  change: C,
  held: Held,
  isWorkOf: (change: C) => boolean,
): C | Blocked<C['name']> {
  const block = held.get(resourceKey({ kind, name: change.name }));
  if (block === undefined || !isWorkOf(change)) return change;
  return blocked(change.name, block.code, block.message);
}
