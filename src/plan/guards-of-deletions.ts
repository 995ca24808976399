/**
 * What is deleted with what it holds is more often an accident than a wish where it is everything, or more at
 * once than was allowed (invariant 6). All of it is held back then, and not only what is too much.
 */
import type {
  Block,
  Blocked,
  Change,
  Changes,
  ImageChange,
  IntakeChange,
  VolumeChange,
} from '../diff/change.ts';
import { readyImage } from '../diff/ready-image.ts';
import type { Observed } from '../model/domain.ts';
import type { ObservedIntake } from '../model/intake.ts';
import { samePartition } from '../model/identity.ts';

export interface Guards {
  /** Whether a plan may delete all that there is of the partition. */
  readonly deleteEverything: boolean;
  /** The most Secondaries, Volumes and Images deleted in one plan; null: as many as there are. */
  readonly deletionsMax: number | null;
}

type Deletable = Pick<Changes, 'secondaries' | 'volumes' | 'images' | 'intakes'>;

export function guardDeletions(changes: Changes, observed: Observed, guards: Guards): Deletable {
  const { deleteEverything, deletionsMax } = guards;
  const lost = lostBy(changes);
  const everything = deleteEverything ? null : everythingThereIs(changes, lost, observed);
  if (everything !== null) {
    const message = `the documents keep nothing of what is there, and would delete ${everything}; --delete-everything allows it`;
    const block = { code: 'DeletesEverything', message } as const;
    return blockCreations(blockDeletions(changes, block), block);
  }
  const { guests, volumes, images } = lost;
  if (deletionsMax === null || guests + volumes + images <= deletionsMax) return changes;
  const parts = [
    ...counted(guests, 'Secondary', 'Secondaries'),
    ...counted(volumes, 'Volume with its data', 'Volumes with their data'),
    ...counted(images, 'Image', 'Images'),
  ];
  const message = `${parts.join(' and ')} would be deleted, and --max-deletions is ${deletionsMax}`;
  return blockDeletions(changes, { code: 'TooManyDeletions', message });
}

function counted(count: number, one: string, many: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}

/** What would go and leave nothing that the documents speak of; null: something stays, or nothing goes. */
function everythingThereIs(
  changes: Changes,
  { guests, volumes }: Lost,
  observed: Observed,
): string | null {
  // What this plan makes anew does not count: it is not what would be lost. Nor is it made, or it would be what
  // the next plan finds kept.
  const isSomethingKept =
    changes.secondaries.some((change) => isKept(change, observed)) ||
    changes.volumes.some(({ kind }) => kind === 'update');
  if (isSomethingKept) return null;
  if (guests > 0) return 'every Secondary there is';
  if (volumes > 0) return 'every Volume there is, with its data';
  // Images are what the others were made from, and count by themselves only where there are no others.
  const areAllImages =
    changes.images.some(losesData) && !changes.images.some((change) => isReady(change, observed));
  return areAllImages ? 'every Image there is' : null;
}

/** It is wanted, there and ours, perhaps with other bytes than are wanted by now. */
function isReady({ kind, name }: ImageChange, observed: Observed): boolean {
  return kind !== 'delete' && kind !== 'keep' && readyImage(name, observed) !== null;
}

interface Lost {
  readonly guests: number;
  readonly volumes: number;
  readonly images: number;
}

/** An Image of which something has come in is one as well. */
function lostBy({ secondaries, volumes, images, intakes }: Deletable): Lost {
  const ofImages = [...images.filter(losesData), ...intakes.filter(losesBytesBeside(images))];
  return {
    guests: secondaries.filter(isDeletion).length,
    volumes: volumes.filter(losesData).length,
    images: new Set(ofImages.map(({ name }) => name)).size,
  };
}

/** It is wanted, there and ours, and this plan leaves it there. */
function isKept(change: Change, { domains, ...us }: Observed): boolean {
  if (change.kind !== 'blocked') return change.kind === 'update';
  const { code } = change.block;
  // These would be gone if they could.
  if (code === 'Protected' || code === 'MarkUnreadable') return false;
  const seen = domains.get(change.name);
  return seen?.status === 'present' && samePartition(seen.value.owner, us);
}

/** What a crash has left half made holds nobody's data. */
function losesData(change: VolumeChange | ImageChange): boolean {
  return change.kind === 'delete' && change.observed.state === 'ready';
}

/** What has come in is lost with its intake, also where that makes room for other bytes. */
function losesBytesBeside(images: readonly ImageChange[]): (change: IntakeChange) => boolean {
  const ready = new Map(
    images.flatMap((each) =>
      each.kind === 'unchanged' ? [[each.name, each.observed.digest] as const] : [],
    ),
  );
  return (change) => {
    const gone = goneIn(change);
    // What a crash has left of one beside the Image that it has become nobody lacks.
    return gone !== null && holdsBytes(gone) && ready.get(change.name) !== gone.digest;
  };
}

function goneIn(change: IntakeChange): ObservedIntake | null {
  if (change.kind === 'delete') return change.observed;
  return change.kind === 'create' && change.remains !== null ? change.remains.observed : null;
}

/** What is on a lent disk only its Primary knows; what was fetched can be fetched again. */
function holdsBytes({ state, kind, heldBytes, receivedBytes }: ObservedIntake): boolean {
  if (state !== 'ready' || heldBytes === 0 || kind === 'url') return false;
  return kind === 'handOver' || receivedBytes > 0;
}

function blockDeletions(changes: Deletable, block: Block): Deletable {
  return {
    secondaries: blocking(changes.secondaries, isDeletion, block),
    volumes: blocking(changes.volumes, losesData, block),
    images: blocking(changes.images, losesData, block),
    intakes: blocking(changes.intakes, losesBytesBeside(changes.images), block),
  };
}

function blockCreations(changes: Deletable, block: Block): Deletable {
  return {
    secondaries: blocking(changes.secondaries, isCreation, block),
    volumes: blocking(changes.volumes, isCreation, block),
    images: blocking(changes.images, isCreation, block),
    intakes: changes.intakes,
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
