/**
 * What a plan must not do by accident: delete everything, or more at once than was allowed, start
 * what cannot be up yet, or take away what somebody keeps. A guard only ever turns a change into a
 * block.
 */
import type {
  Block,
  Blocked,
  Change,
  Changes,
  ImageChange,
  NetworkChange,
  VolumeChange,
} from '../diff/change.ts';
import { blocked } from '../diff/ownership.ts';
import type { Observed } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import { guardNics, guardUnreadNetwork, guardUse } from './guards-of-use.ts';
import { guardSharing } from './guards-of-volumes.ts';
import { guardHolds } from './holds.ts';
import { startOrder } from './start-order.ts';
import type { Watch, Wishes } from './wishes.ts';

export interface Guards {
  /** Whether a plan may delete every Secondary of the partition. */
  readonly deleteEverything: boolean;
  /** The most Secondaries and Volumes deleted in one plan; null: as many as there are. */
  readonly deletionsMax: number | null;
}

/** @param hasWork whether a plan would do anything about it */
export function guard(
  changes: Changes,
  observed: Observed,
  guards: Guards & Wishes,
  hasWork: (change: Change) => boolean,
): Changes {
  // Before the holds: one that is held back and would be deleted is none that is kept.
  const fewer = { ...changes, ...guardDeletions(changes, observed, guards) };
  const held = guardHolds(fewer, observed, guards, hasWork);
  const network = guardUnreadNetwork(changes.network, observed);
  const secondaries = guardSecondaries(held.secondaries, network, observed, guards.watch);
  return guardUse({ ...held, secondaries }, network, observed);
}

/** Whoever is blocked keeps what it has, and does not run for those that start after it: again. */
function guardSecondaries(
  changes: readonly Change[],
  network: NetworkChange | null,
  observed: Observed,
  watch: Watch,
): readonly Change[] {
  const blocks = (all: readonly Change[]) => all.filter(({ kind }) => kind === 'blocked').length;
  for (let before = changes; ;) {
    const after = guardSharing(guardStarts(guardNics(before, network), observed, watch), observed);
    if (blocks(after) === blocks(before)) return after;
    before = after;
  }
}

type Deletable = Pick<Changes, 'secondaries' | 'volumes' | 'images'>;

function guardDeletions(changes: Changes, observed: Observed, guards: Guards): Deletable {
  const { deleteEverything, deletionsMax } = guards;
  const { secondaries } = changes;
  const guests = secondaries.filter(({ kind }) => kind === 'delete').length;
  const volumes = changes.volumes.filter(losesData).length;
  // An emptied directory, or the documents of another partition, are more often an accident than a
  // wish (invariant 6). What this plan makes anew does not count: it is not what would be lost. Nor
  // is it made, or it would be what the next plan finds kept.
  const kept =
    secondaries.some((change) => isKept(change, observed)) ||
    changes.volumes.some(({ kind }) => kind === 'update');
  if (!deleteEverything && !kept && guests + volumes > 0) {
    const what = guests > 0 ? 'every Secondary there is' : 'every Volume there is, with its data';
    const message = `the documents keep nothing of what is there, and would delete ${what}; --delete-everything allows it`;
    const block = { code: 'DeletesEverything', message } as const;
    return blockCreations(blockDeletions(changes, block), block);
  }
  if (deletionsMax === null || guests + volumes <= deletionsMax) return changes;
  const parts = [
    ...(guests > 0 ? [`${guests} Secondaries`] : []),
    ...(volumes > 0 ? [`${volumes} Volumes with their data`] : []),
  ];
  const message = `${parts.join(' and ')} would be deleted, and --max-deletions is ${deletionsMax}`;
  return blockDeletions(changes, { code: 'TooManyDeletions', message });
}

/** It is wanted, there and ours, and this plan leaves it there. */
function isKept(change: Change, { domains, ...us }: Observed): boolean {
  if (change.kind !== 'blocked') return change.kind === 'update';
  const { code } = change.block;
  // These would be gone if they could.
  if (code === 'Protected' || code === 'MarkUnreadable') return false;
  const seen = domains.get(change.name);
  const owner = seen?.status === 'present' ? seen.value.owner : null;
  return owner !== null && samePartition(owner, us);
}

/** What a crash has left half made holds nobody's data. */
function losesData(change: VolumeChange | ImageChange): boolean {
  return change.kind === 'delete' && change.observed.state === 'ready';
}

/** Images by themselves are not guarded: they are held back with the others. */
function blockDeletions({ secondaries, volumes, images }: Deletable, block: Block): Deletable {
  return {
    secondaries: blocking(secondaries, isDeletion, block),
    volumes: blocking(volumes, losesData, block),
    images: blocking(images, losesData, block),
  };
}

function blockCreations({ secondaries, volumes, images }: Deletable, block: Block): Deletable {
  return {
    secondaries: blocking(secondaries, isCreation, block),
    volumes: blocking(volumes, isCreation, block),
    images,
  };
}

const isDeletion = ({ kind }: { readonly kind: string }) => kind === 'delete';
const isCreation = ({ kind }: { readonly kind: string }) => kind === 'create';

function blocking<N extends string, C extends { readonly name: N }>(
  changes: readonly C[],
  isMeant: (change: C) => boolean,
  block: Block,
): readonly (C | Blocked<N>)[] {
  return changes.map((change) =>
    isMeant(change) ? { kind: 'blocked', name: change.name, block } : change,
  );
}

function guardStarts(
  changes: readonly Change[],
  observed: Observed,
  watch: Watch,
): readonly Change[] {
  const { unmet } = startOrder(changes, observed, watch);
  return changes.map((change) => {
    const message = unmet.get(change.name);
    if (message === undefined) return change;
    return blocked(change.name, 'StartAfterUnmet', message);
  });
}
