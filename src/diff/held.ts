/**
 * What is not to be touched for a while, though it differs: something about it has failed, and is
 * tried again later. Told here and not in the plan, so that whoever needs it is blocked with it.
 */
import type {
  Block,
  FilterChange,
  ImageChange,
  NetworkChange,
  SliceChange,
  VolumeChange,
} from './change.ts';
import { blocked } from './ownership.ts';

/** Of all but Secondaries, by `resourceKey`. Holds of Secondaries are the plan's. */
export type Held = ReadonlyMap<string, Block>;

export const nothingHeld: Held = new Map();

export function heldImages(changes: readonly ImageChange[], held: Held): readonly ImageChange[] {
  return changes.map((change) => {
    const block = held.get(`image/${change.name}`);
    const hasWork = change.kind === 'create' || change.kind === 'delete';
    return block === undefined || !hasWork ? change : blockedBy(change.name, block);
  });
}

export function heldVolumes(changes: readonly VolumeChange[], held: Held): readonly VolumeChange[] {
  return changes.map((change) => {
    const block = held.get(`volume/${change.name}`);
    return block === undefined || !isWork(change) ? change : blockedBy(change.name, block);
  });
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
  if (change === null) return null;
  const block = held.get(`slice/${change.name}`);
  return block === undefined || !hasWork(change) ? change : blockedBy(change.name, block);
}

export function heldFilter(change: FilterChange | null, held: Held): FilterChange | null {
  if (change === null) return null;
  const block = held.get(`filter/${change.name}`);
  return block === undefined || !hasWork(change) ? change : blockedBy(change.name, block);
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
  if (change === null) return null;
  const block = held.get(`network/${change.name}`);
  return block === undefined || !needsWork(change) ? change : blockedBy(change.name, block);
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

function blockedBy<N extends string>(name: N, { code, message }: Block) {
  return blocked(name, code, message);
}
