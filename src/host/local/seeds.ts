/**
 * A partition's seeds: `STATE/PARTITION/seeds/NAME`. Secrets may be in one, so that its file is
 * readable to nobody; libvirt gives it to the user that QEMU runs as when the guest starts. It is
 * never written again, and never read back: a user whom a guest has broken out to may have written it.
 */
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PartitionOwner } from '../../model/identity.ts';
import { byName, type PartitionName } from '../../model/names.ts';
import { type Observation, present, unknown } from '../../model/observation.ts';
import {
  type ObservedSeed,
  type Seed,
  type SeedContent,
  seedName,
  type SeedName,
} from '../../model/seed.ts';
import { explainError } from '../host-error.ts';
import type { SeedReader, SeedWriter } from '../ports.ts';
import { attempt } from './attempt.ts';
import { fileSize, makeEmpty } from './disk-file.ts';
import { hasErrno } from './io-error.ts';
import { emptyPlace, fillPlace, lookInto, requireRoom } from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { seedPlace } from './places.ts';
import { ownerOf, type SeedRecord } from './record.ts';
import { makeSeedDisk } from './seed-disk.ts';

export function localSeedReader(stateDir: string): SeedReader {
  const layoutOf = (partition: PartitionName) => storeLayout(resolve(stateDir), partition);
  return {
    list: (partition, signal) =>
      attempt('listing seeds', signal, () => seedsIn(layoutOf(partition).seedsDir)),
    read: (partition, name, signal) =>
      attempt(`reading seed ${name}`, signal, () => readSeed(layoutOf(partition), name)),
  };
}

export function localSeeds(stateDir: string): SeedReader & SeedWriter {
  const layoutOf = (owner: PartitionOwner) => storeLayout(resolve(stateDir), owner.partition);
  return {
    ...localSeedReader(stateDir),
    create: (owner, seed, content, signal) =>
      attempt(`making seed ${seed.name}`, signal, () =>
        createSeed(layoutOf(owner), owner, seed, content, signal),
      ),
    delete: (owner, name, signal) =>
      attempt(`deleting seed ${name}`, signal, () =>
        emptyPlace(seedPlace(layoutOf(owner), name), owner),
      ),
  };
}

async function seedsIn(folder: string): Promise<readonly SeedName[]> {
  try {
    return (await readdir(folder)).flatMap((name) => seedName(name) ?? []).sort(byName);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function readSeed(layout: StoreLayout, name: SeedName): Promise<Observation<ObservedSeed>> {
  const seen = await lookInto(seedPlace(layout, name));
  if (seen.status !== 'present') return seen;
  if (seen.value === null) {
    const nothing = { state: 'ready', form: 'cloud-init', sizeBytes: 0 } as const;
    return present({ name, owner: null, ...nothing });
  }
  const { state, form } = seen.value;
  const owner = ownerOf(seen.value);
  try {
    const sizeBytes = await fileSize(layout.seedFile(name, form));
    return present({ name, owner, state, form, sizeBytes });
  } catch (error) {
    if (state !== 'ready') return present({ name, owner, state, form, sizeBytes: 0 });
    // Its document can make it anew, once what is left of it is gone.
    if (hasErrno(error, 'ENOENT')) {
      return present({ name, owner, state: 'deleting', form, sizeBytes: 0 });
    }
    return unknown(explainError(error));
  }
}

async function createSeed(
  layout: StoreLayout,
  owner: PartitionOwner,
  { name, form, sizeBytes }: Seed,
  content: SeedContent,
  signal: AbortSignal,
): Promise<void> {
  const place = seedPlace(layout, name);
  await requireRoom(place, owner);
  const common = { formatVersion: 1, kind: 'seed', state: 'ready' } as const;
  const record: SeedRecord = { ...common, ...owner, name, form };
  const file = layout.seedFile(name, form);
  await fillPlace(place, record, async () => {
    if (content.form === 'ignition') await writeWhole(file, content.config);
    else await makeSeedDisk(place.folder, file, { owner, name, sizeBytes, content }, signal);
  });
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await makeEmpty(path);
  try {
    await file.writeFile(text);
    await file.chmod(0o400);
    await file.sync();
  } finally {
    await file.close();
  }
}
