/**
 * The folder of a partition's accepted bundles: one file for each generation, which is its name.
 * The newest whole one is in force. Nothing is ever written over, and what is too old is removed.
 */
import { dirname, join } from 'node:path';
import { explainError } from '../../host/host-error.ts';
import type { PartitionName } from '../../model/names.ts';
import type { AcceptedBundle, HistoryEntry } from '../../report/submission.ts';
import { FileError, type Files } from '../runtime.ts';
import { type BundleRead, readBundleFile } from './bundle-file.ts';
import { historyEntry } from './bundle-schema.ts';

/** How many generations are kept, the one in force among them. */
export const historyMax = 20;
/** Fewer, if they are large: a tenant does not decide how much of the host's disk they take. */
export const historyBytesMax = 128 * 2 ** 20;

const fileName = /^\d{12}\.json$/;
/** As `Files.replace` calls them. */
const draftName = /^\.\d{12}\.json\..*\.new$/;
const folderMode = 0o700;
/** QEMU, as whoever it runs, has to get to the disks beside it. */
export const passableMode = 0o711;
/** Documents may hold secrets for guests. */
const fileMode = 0o600;

/** Where the bundles of a partition are kept. */
export interface AcceptedFolder {
  readonly files: Files;
  readonly path: string;
  readonly partition: PartitionName;
}

/** One that could be read back whole. */
export interface Kept {
  readonly entry: HistoryEntry;
  readonly bytes: number;
}

export interface TornBundle {
  readonly generation: number;
  readonly message: string;
}

export type FolderRead =
  | {
      readonly status: 'read';
      readonly inForce: AcceptedBundle | null;
      /** Newest first. */
      readonly kept: readonly Kept[];
      /** Those newer than the one in force, newest first. */
      readonly torn: readonly TornBundle[];
    }
  /** What is in force is not known, which is not the same as nothing. */
  | { readonly status: 'failed'; readonly message: string };

/** How a bundle came to be written down; if it was not, why. */
export type Written =
  | { readonly status: 'written' }
  | { readonly status: 'failed'; readonly message: string };

export async function readFolder(folder: AcceptedFolder): Promise<FolderRead> {
  let generations: readonly number[];
  try {
    generations = await generationsIn(folder);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.code === 'Missing') return { status: 'read', inForce: null, kept: [], torn: [] };
    return { status: 'failed', message: explainError(error) };
  }
  let inForce: AcceptedBundle | null = null;
  const kept: Kept[] = [];
  const torn: TornBundle[] = [];
  for (const generation of generations) {
    if (kept.length === historyMax) break;
    const read = await readGeneration(folder, generation);
    if (read.status === 'whole') {
      inForce ??= read.bundle;
      kept.push({ entry: historyEntry(read.bundle), bytes: read.bytes });
      // Of an older one nothing is lost but its place in the history.
    } else if (inForce === null) {
      if (read.status === 'torn') torn.push({ generation, message: read.message });
      else return { status: 'failed', message: unreadable(folder, generation, read) };
    }
  }
  return { status: 'read', inForce, kept, torn };
}

export function readGeneration(folder: AcceptedFolder, generation: number): Promise<BundleRead> {
  const { files, partition } = folder;
  return readBundleFile(files, pathOf(folder, generation), { partition, generation });
}

/** @param text sealed */
export async function writeGeneration(
  folder: AcceptedFolder,
  generation: number,
  text: string,
): Promise<Written> {
  const path = pathOf(folder, generation);
  try {
    await folder.files.makeFolder(dirname(folder.path), passableMode);
    await folder.files.makeFolder(folder.path, folderMode);
    await folder.files.replace(path, text, fileMode);
    return { status: 'written' };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const message = explainError(error);
    // It may stand there whole and only not be flushed, and was refused all the same.
    if (await removed(folder, nameOf(generation))) return { status: 'failed', message };
    const more = `${path} could not be taken back, and may come into force at the next start`;
    return { status: 'failed', message: `${message}; ${more}` };
  }
}

/** Those that are kept when this is the newest. */
export function within(kept: readonly Kept[]): readonly Kept[] {
  let bytes = 0;
  return kept.slice(0, historyMax).filter((each, index) => {
    bytes += each.bytes;
    // Without the one before, a torn file would leave nothing in force.
    return index < 2 || bytes <= historyBytesMax;
  });
}

/**
 * Removes what a crash has left of one that was being written, and those that are too old. What
 * cannot be removed stays, and is tried again after the next one.
 * @param oldest of those that are kept; null: nothing is too old
 */
export async function tidy(folder: AcceptedFolder, oldest: number | null): Promise<void> {
  let names: readonly string[];
  try {
    names = await namesIn(folder);
  } catch (error) {
    if (error instanceof FileError) return;
    throw error;
  }
  for (const name of names) {
    const isOld = oldest !== null && fileName.test(name) && generationOf(name) < oldest;
    if (isOld || draftName.test(name)) await removed(folder, name);
  }
}

async function removed({ files, path }: AcceptedFolder, name: string): Promise<boolean> {
  try {
    await files.remove(join(path, name));
    return true;
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

/** Whether documents were accepted in it, be they whole or torn; what cannot be read may hold some. */
export async function hasAccepted(files: Files, path: string): Promise<boolean> {
  try {
    return (await files.list(path)).some(({ name }) => fileName.test(name));
  } catch (error) {
    if (error instanceof FileError) return error.code !== 'Missing';
    throw error;
  }
}

/** Newest first. */
async function generationsIn(folder: AcceptedFolder): Promise<readonly number[]> {
  const names = await namesIn(folder);
  return names
    .filter((name) => fileName.test(name))
    .map(generationOf)
    .sort((a, b) => b - a);
}

async function namesIn({ files, path }: AcceptedFolder): Promise<readonly string[]> {
  const entries = await files.list(path);
  return entries.map(({ name }) => name);
}

function generationOf(name: string): number {
  return Number.parseInt(name, 10);
}

function nameOf(generation: number): string {
  return `${String(generation).padStart(12, '0')}.json`;
}

function pathOf({ path }: AcceptedFolder, generation: number): string {
  return join(path, nameOf(generation));
}

function unreadable(
  folder: AcceptedFolder,
  generation: number,
  read: Extract<BundleRead, { status: 'missing' | 'failed' }>,
): string {
  switch (read.status) {
    case 'failed':
      return read.message;
    case 'missing':
      return `${pathOf(folder, generation)} was there and leads nowhere`;
  }
}
