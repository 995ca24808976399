/**
 * Changes that are blocked for what only a whole plan shows, and whoever needs what is blocked by that:
 * the same that diff does for what one look shows.
 */
import { savedWith } from '../diff/boot-images.ts';
import type {
  Block,
  Blocked,
  Change,
  Changes,
  ImageChange,
  ImageDiskChange,
  VolumeChange,
} from '../diff/change.ts';
import { needsParts } from '../diff/domain.ts';
import { awaitingIntakes } from '../diff/intake.ts';
import { partBlocked } from '../diff/ownership.ts';
import type { Observed } from '../model/domain.ts';
import { movedBy } from '../model/image-disk.ts';
import { type ResourceKind, resourceKey } from '../model/resource.ts';
import { bootImagesOf, usesOf } from '../model/secondary.ts';

type Creation = Extract<VolumeChange, { kind: 'create' }>;

/** By `resourceKey`. */
type Blocks = ReadonlyMap<string, Block>;

export function withBlocks(changes: Changes, observed: Observed, blocks: Blocks): Changes {
  if (blocks.size === 0) return changes;
  const intakes = blocking('intake', changes.intakes, (each) => own('intake', each.name, blocks));
  const sourced = awaitingIntakes(changes.images, intakes.changes);
  const imageDisk = withHeldDisk(changes.imageDisk, blocks);
  const images = blocking(
    'image',
    sourced,
    (change) => own('image', change.name, blocks) ?? blockOfMove(change, changes.imageDisk, blocks),
  );
  const withImages = new Map([...blocks, ...images.fresh]);
  const made = madeHere(changes.volumes);
  const volumes = blocking(
    'volume',
    changes.volumes,
    (change) =>
      own('volume', change.name, blocks) ??
      blockOfOrigin(change, withImages) ??
      blockOfCopied(change, made, withImages),
  );
  const seeds = blocking('seed', changes.seeds, (change) => own('seed', change.name, blocks));
  const lost = new Map([...withImages, ...volumes.fresh]);
  const secondaries = blocking(
    'secondary',
    changes.secondaries,
    (change) => own('secondary', change.name, blocks) ?? blockOfPart(change, observed, lost),
  );
  return {
    ...changes,
    imageDisk,
    intakes: intakes.changes,
    images: images.changes,
    seeds: seeds.changes,
    volumes: volumes.changes,
    secondaries: secondaries.changes,
  };
}

function own(kind: ResourceKind, name: string, blocks: Blocks): Block | null {
  return blocks.get(resourceKey({ kind, name })) ?? null;
}

/** What is blocked already keeps its reason. */
function blocking<C extends { readonly kind: string; readonly name: string }>(
  kind: ResourceKind,
  changes: readonly C[],
  blockOf: (change: C) => Block | null,
): { readonly changes: readonly (C | Blocked<C['name']>)[]; readonly fresh: Blocks } {
  const fresh = new Map<string, Block>();
  const blocked = changes.map((change): C | Blocked<C['name']> => {
    const block = change.kind === 'blocked' ? null : blockOf(change);
    if (block === null) return change;
    fresh.set(resourceKey({ kind, name: change.name }), block);
    return { kind: 'blocked', name: change.name, block };
  });
  return { changes: blocked, fresh };
}

/** What there is no room for is its rework: its guest has it all the same. */
function withHeldDisk(change: ImageDiskChange | null, blocks: Blocks): ImageDiskChange | null {
  const block = change === null ? null : own('image-disk', change.name, blocks);
  if (change === null || block === null || change.kind === 'blocked') return change;
  return change.kind === 'update'
    ? { ...change, held: block }
    : { kind: 'blocked', name: change.name, block };
}

/**
 * An Image whose file would have to go from a disk that cannot become smaller. One that a crash has left half
 * made goes on all the same: what is left of it may be what there is no room for.
 */
function blockOfMove(
  change: ImageChange,
  disk: ImageDiskChange | null,
  blocks: Blocks,
): Block | null {
  if (change.kind !== 'create' || movedBy(change.image.source) === null) return null;
  if (disk === null || change.remains?.state === 'creating') return null;
  const block = own('image-disk', disk.name, blocks);
  return block === null ? null : partBlocked('the image disk', block);
}

/** A Volume that is to begin as an Image that is not had. */
function blockOfOrigin(change: VolumeChange, blocks: Blocks): Block | null {
  if (change.kind !== 'create' || change.volume.origin === null) return null;
  const { image } = change.volume.origin;
  const block = own('image', image, blocks);
  return block === null ? null : partBlocked(`Image ${image}`, block);
}

function madeHere(changes: readonly VolumeChange[]): ReadonlyMap<string, Creation> {
  return new Map(
    changes.flatMap((change) => (change.kind === 'create' ? [[change.name, change]] : [])),
  );
}

/** One that is to begin with the data of a Volume that is not made either; documents bound the chain. */
function blockOfCopied(
  change: VolumeChange,
  made: ReadonlyMap<string, Creation>,
  blocks: Blocks,
): Block | null {
  if (change.kind !== 'create') return null;
  for (let from = change.volume.copyOf; from !== null;) {
    const source = made.get(from);
    if (source === undefined) return null;
    const block = own('volume', from, blocks) ?? blockOfOrigin(source, blocks);
    if (block !== null) return partBlocked(`Volume ${from}`, block);
    from = source.volume.copyOf;
  }
  return null;
}

function blockOfPart(change: Change, observed: Observed, blocks: Blocks): Block | null {
  if (change.kind !== 'create' && change.kind !== 'update') return null;
  if (change.kind === 'update' && !needsParts(change)) return null;
  const { seed } = change.secondary;
  const seedBlock = seed === null ? null : own('seed', seed.name, blocks);
  if (seedBlock !== null) return partBlocked('its seed', seedBlock);
  for (const [image] of bootImagesOf(change.secondary.boot)) {
    const block = own('image', image, blocks);
    if (block === null || savedWith(change.name, image, observed) !== null) continue;
    return partBlocked(`Image ${image}`, block);
  }
  for (const { volume } of usesOf(change.secondary)) {
    const block = own('volume', volume, blocks);
    if (block !== null) return partBlocked(`Volume ${volume}`, block);
  }
  return null;
}
