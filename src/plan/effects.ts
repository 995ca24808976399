/**
 * What each operation takes of the partition's share, and what it gives back. Exhaustive: whoever adds
 * an operation has to say it here, or it would not be counted.
 */
import { type Amounts, amounts, plus } from '../partition/amounts.ts';
import {
  guestAmounts,
  imageAmounts,
  imageDiskAmounts,
  intakeAmounts,
  seedAmounts,
  volumeAmounts,
} from '../partition/allocation.ts';
import { machineBytes } from '../model/overhead.ts';
import type { Observed, ObservedDomain, Platform } from '../model/domain.ts';
import type { Observation } from '../model/observation.ts';
import { intakeOf, roomBytes } from '../model/intake.ts';
import type { ImageName, SecondaryName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import { TRANSLATION_CACHE_BYTES } from '../model/translation-cache.ts';
import { type Image, isUsedAsSupplied, unpackedBytesMax } from '../model/volume.ts';
import { type Operation, type OperationId, operationId, type OperationOf } from './operation.ts';

export type Effect =
  | { readonly kind: 'none' }
  /** `instead`: what it has already and gives up for it, in one step. */
  | { readonly kind: 'takes'; readonly amounts: Amounts; readonly instead: Amounts }
  | { readonly kind: 'gives'; readonly amounts: Amounts };

/** Whom a Secondary's amounts depend on. */
interface Ground {
  readonly observed: Observed;
  readonly platform: Platform;
}

export interface EffectContext extends Ground {
  /** As they are to be, by name. */
  readonly secondaries: ReadonlyMap<string, Secondary>;
  /** Images that are imported, by name. */
  readonly imported: ReadonlyMap<string, Image>;
  /** Which operations there are. */
  readonly has: (id: OperationId) => boolean;
}

const none: Effect = { kind: 'none' };

export function effectOf(operation: Operation, context: EffectContext): Effect {
  const { observed, has } = context;
  switch (operation.kind) {
    case 'domain.define':
      return domainOf(operation, context) === null ? takes({ secondaries: 1 }) : none;
    case 'domain.undefine':
      return gives(amounts({ secondaries: 1 }));
    case 'domain.start':
      // Half of a restart has been asked for before the guest was stopped.
      return operation.phase === 'restart' ? none : startOf(operation, context);
    case 'domain.stop':
      return operation.phase === 'restart'
        ? startOf(operation, context)
        : gives(guestOf(domainOf(operation, context)));
    case 'volume.create':
      return {
        kind: 'takes',
        amounts: amounts({ storageBytes: operation.volume.sizeBytes }),
        instead: there(observed.volumes.get(operation.volume.name), volumeAmounts),
      };
    case 'volume.grow':
    case 'domain.grow-disk':
      return {
        kind: 'takes',
        amounts: amounts({ storageBytes: operation.sizeBytes }),
        instead: there(observed.volumes.get(operation.volume), volumeAmounts),
      };
    case 'volume.delete':
      // What is only in the way of a new one is what the new one has instead.
      if (has(operationId('volume.create', operation.volume))) return none;
      return gives(there(observed.volumes.get(operation.volume), volumeAmounts));
    case 'intake.create':
      return {
        kind: 'takes',
        amounts: amounts({ storageBytes: roomBytes(operation.intake) }),
        instead: there(observed.intakes.get(operation.intake.image), intakeAmounts),
      };
    case 'intake.delete':
      // What is only in the way of a new one is what the new one has instead.
      if (has(operationId('intake.create', operation.image))) return none;
      if (takesBytes(operation.image, context)) return none;
      return gives(there(observed.intakes.get(operation.image), intakeAmounts));
    case 'image.import':
      return importOf(operation, context);
    case 'image.delete':
      if (has(operationId('image.import', operation.image))) return none;
      return gives(there(observed.images.get(operation.image), imageAmounts));
    case 'image-disk.create':
      return {
        kind: 'takes',
        amounts: amounts({ storageBytes: operation.goal.sizeBytes }),
        instead: there(observed.imageDisk, imageDiskAmounts),
      };
    case 'image-disk.rework':
      return {
        kind: 'takes',
        amounts: reworkAmounts(operation, context),
        instead: there(observed.imageDisk, imageDiskAmounts),
      };
    case 'image-disk.delete':
      if (has(operationId('image-disk.create', observed.partition))) return none;
      return gives(there(observed.imageDisk, imageDiskAmounts));
    case 'seed.create':
      return {
        kind: 'takes',
        amounts: seedAmounts(operation.seed),
        instead: there(observed.seeds.get(operation.seed.name), seedAmounts),
      };
    case 'seed.delete':
      if (has(operationId('seed.create', operation.seed))) return none;
      return gives(there(observed.seeds.get(operation.seed), seedAmounts));
    case 'installation.record':
    // A paused guest has all that it has when it runs, and a balloon is not believed.
    case 'domain.resume':
    case 'domain.set-memory':
    case 'domain.await-ready':
    // A Volume takes what it takes, whoever has it.
    case 'domain.attach-disk':
    case 'domain.detach-disk':
    case 'domain.note-stop':
    case 'domain.forget-stop':
    case 'volume.set-deletion-policy':
    // What is taken from it, and given, follows from what everybody else takes and gives.
    case 'primary.set-vcpus':
    case 'primary.set-memory':
    case 'primary.plug':
    case 'primary.unplug':
    case 'primary.lend-disk':
    case 'primary.take-disk':
    case 'primary.lend-image-disk':
    case 'primary.take-image-disk':
    // The room was made before.
    case 'intake.fill':
    case 'image.verify':
    case 'slice.apply':
    case 'slice.remove':
    case 'filter.apply':
    case 'filter.close':
    case 'filter.remove':
    case 'network.define':
    case 'network.start':
    case 'network.stop':
    case 'network.undefine':
    case 'network.reserve':
    case 'network.unreserve':
      return none;
  }
}

/** For a while there are two of it: until the new one is whole, nothing is given up. */
function reworkAmounts(
  { work }: OperationOf<'image-disk.rework'>,
  { observed: { imageDisk } }: EffectContext,
): Amounts {
  const before = imageDisk.status === 'present' ? imageDisk.value.sizeBytes : 0;
  return amounts({ storageBytes: before + Math.max(before, work.sizeBytes) });
}

/** The bytes of any Image but a qcow2 are those that came in; that is written anew beside them. */
function importOf({ image }: OperationOf<'image.import'>, context: EffectContext): Effect {
  const { observed } = context;
  const before = there(observed.images.get(image.name), imageAmounts);
  const intake = there(observed.intakes.get(image.name), intakeAmounts);
  return {
    kind: 'takes',
    amounts: amounts({ storageBytes: importedBytes(image, observed) }),
    instead: takesBytes(image.name, context) ? plus(before, intake) : before,
  };
}

function importedBytes({ source, format, virtualBytesMax }: Image, observed: Observed): number {
  switch (source.kind) {
    case 'file':
      return sizeOf(observed.files.get(source.file));
    case 'catalogue':
      return sizeOf(observed.catalogue.get(source.file));
    case 'upload':
    case 'handOver':
    case 'imageDisk':
    case 'url':
      return isUsedAsSupplied(format)
        ? source.sizeBytes
        : unpackedBytesMax(virtualBytesMax ?? source.sizeBytes);
  }
}

function sizeOf(seen: Observation<number> | undefined): number {
  return seen?.status === 'present' ? seen.value : 0;
}

function takesBytes(name: ImageName, { imported }: EffectContext): boolean {
  const image = imported.get(name);
  return image !== undefined && isUsedAsSupplied(image.format) && intakeOf(image) !== null;
}

function takes(some: Partial<Amounts>): Effect {
  return { kind: 'takes', amounts: amounts(some), instead: amounts({}) };
}

function gives(what: Amounts): Effect {
  return { kind: 'gives', amounts: what };
}

function startOf(operation: Operation, context: EffectContext): Effect {
  const domain = domainOf(operation, context);
  const secondary = context.secondaries.get(operation.resource?.name ?? '');
  if (secondary === undefined) return none;
  return {
    kind: 'takes',
    amounts: wantedAmounts(secondary, domain, context),
    instead: guestOf(domain),
  };
}

/** What a Secondary would take that does not run. */
export function secondaryAmounts(secondary: Secondary, ground: Ground): Amounts {
  const seen = ground.observed.domains.get(secondary.name);
  return wantedAmounts(secondary, seen?.status === 'present' ? seen.value : null, ground);
}

/** What its guest will have from its next start on. */
function wantedAmounts(
  { vcpus, memoryBytes }: Secondary,
  domain: ObservedDomain | null,
  { platform }: Ground,
): Amounts {
  const fresh = platform.domainType === 'qemu' ? TRANSLATION_CACHE_BYTES : 0;
  const translationCacheBytes = domain?.translationCacheBytes ?? fresh;
  return amounts({
    vcpus,
    memoryBytes: machineBytes({ vcpus, memoryBytes, translationCacheBytes }),
  });
}

function domainOf({ resource }: Operation, { observed }: EffectContext): ObservedDomain | null {
  if (resource?.kind !== 'secondary') return null;
  // Names of Secondaries come from changes of Secondaries only.
  const seen = observed.domains.get(resource.name as SecondaryName);
  return seen?.status === 'present' ? seen.value : null;
}

function guestOf(domain: ObservedDomain | null): Amounts {
  return domain === null ? amounts({}) : guestAmounts(domain);
}

function there<T>(seen: Observation<T> | undefined, of: (value: T) => Amounts): Amounts {
  return seen?.status === 'present' ? of(seen.value) : amounts({});
}
