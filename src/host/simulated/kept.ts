/**
 * What a simulated store keeps for a partition, Volumes and Images alike: a place by name, whose it
 * is, and how far its making or its deletion has got.
 */
import { type PartitionOwner, samePartition } from '../../model/identity.ts';
import { byName, type PartitionName } from '../../model/names.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import type { StoredState } from '../../model/volume.ts';
import type { KeptReader } from '../ports.ts';
import type { CallName } from './calls.ts';
import type { Simulation } from './host.ts';
import { conflict } from './refusal.ts';
import type { World } from './world.ts';

/** What is known of anything kept. */
export interface Kept {
  owner: PartitionOwner | null;
  state: StoredState;
}

export type Shelf<Name, Value> = Map<PartitionName, Map<Name, Value>>;

export interface KeptCalls {
  readonly list: CallName;
  readonly read: CallName;
  readonly subject: (name: string) => string;
}

export function keptReader<Name extends string, Value extends Kept>(
  { faults, read }: Simulation,
  shelfOf: (world: World) => Shelf<Name, Value>,
  calls: KeptCalls,
): KeptReader<Name, Value & { readonly name: Name }> {
  const namesIn = async (partition: PartitionName): Promise<ReadonlyMap<Name, Value>> => {
    const shelf = shelfOf(await read());
    return shelf.get(partition) ?? new Map<Name, Value>();
  };
  return {
    list: (partition, signal) =>
      faults.carryOut(calls.list, [], signal, {
        whole: async () => [...(await namesIn(partition)).keys()].sort(byName),
      }),
    read: (partition, name, signal) =>
      faults.carryOut(calls.read, [calls.subject(name)], signal, {
        whole: async () => {
          const kept = (await namesIn(partition)).get(name);
          return kept === undefined ? absent : present({ name, ...kept });
        },
        half: async ({ error }) => unknown(error.message),
      }),
  };
}

/** For a name that is free, or whose place a crash has left half made. */
export function checkPlace(kept: Kept | undefined, owner: PartitionOwner, doing: string): void {
  if (kept === undefined) return;
  checkOwner(kept, owner, doing);
  if (kept.state !== 'creating') throw conflict(doing, 'there is one already');
}

export function put<Name, Value>(
  shelf: Shelf<Name, Value>,
  partition: PartitionName,
  name: Name,
  value: Value,
): void {
  const names = shelf.get(partition) ?? new Map<Name, Value>();
  shelf.set(partition, names.set(name, value));
}

/** Null: there is none. */
export function findOurs<Name, Value extends Kept>(
  shelf: Shelf<Name, Value>,
  owner: PartitionOwner,
  name: Name,
  doing: string,
): Value | null {
  const kept = shelf.get(owner.partition)?.get(name);
  if (kept === undefined) return null;
  checkOwner(kept, owner, doing);
  return kept;
}

function checkOwner(kept: Kept, owner: PartitionOwner, doing: string): void {
  if (!isOf(kept, owner)) throw conflict(doing, 'it is not ours');
}

export function isOf(kept: Kept, owner: PartitionOwner): boolean {
  return samePartition(kept.owner, owner);
}
