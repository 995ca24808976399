/**
 * Tells of every change below a folder, hidden names too, since links lead to them. chokidar keeps
 * one watch for each folder, and none for the files in it: that of a folder tells of its files. Its
 * raw events are listened to, because its own ones leave out links that are swapped and come late
 * while much is going on. Links are not followed: one that leads to another place below the folder
 * is watched there.
 *
 * How many folders are watched is bounded: a tree that is too large, or grows so, is not watched.
 */
import { once } from 'node:events';
import { type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { NameSign } from '../runtime.ts';
import { type LinkMemory, linkMemory } from './link-memory.ts';
import { isIgnoredName, noteLinksBelow, targetOf, watchDepthMax } from './links-below.ts';
import { machineTimers } from './time.ts';
import { isSmallEnough, watchedFoldersMax } from './watched-size.ts';

export interface TreeEvents {
  readonly onSign: (sign: 'swapped' | 'changed', name?: NameSign) => void;
  /** It is not watched any more, or not all of it. */
  readonly onError: (error: unknown) => void;
}

/** A folder that is new was listed before it was watched: this is to see what came in between. */
const newFolderMs = 50;

/** How many names are looked at at once, to see whether they are links; of others no swap is told. */
const lookingMax = 100;

export class TreeTooLarge extends Error {
  override readonly name = 'TreeTooLarge';
}

/**
 * Resolves once nothing is missed any more. @returns how to stop
 * @throws TreeTooLarge, or as the system says it, such as ENOSPC where no more may be watched
 */
export async function watchTree(folder: string, events: TreeEvents): Promise<() => Promise<void>> {
  const tooLarge = () => new TreeTooLarge(`more than ${watchedFoldersMax} folders`);
  if (!(await isSmallEnough(folder))) throw tooLarge();
  const tree = chokidarFor(folder);
  const links = linkMemory();
  const tellOfSwap = swapTeller(links, events);
  let folders = 0;
  let isReady = false;
  let onError = (_error: unknown) => {};
  const failed = new Promise<never>((_, fail) => (onError = fail));
  tree.on('error', (error) => onError(error));
  tree.on('raw', (event: string, name: string | null, details: unknown) => {
    if (name === null) return events.onSign('changed');
    const { watchedPath } = details as { readonly watchedPath: string };
    const path = join(watchedPath, name);
    // Node says `rename` of a name that comes or goes, and `change` of what is done to a file.
    events.onSign('changed', { path, change: event === 'rename' ? 'entered' : 'written' });
    if (event === 'rename') void tellOfSwap(path);
  });
  tree.on('addDir', () => {
    folders += 1;
    if (folders > watchedFoldersMax) onError(tooLarge());
    else if (isReady) machineTimers.after(newFolderMs, () => events.onSign('changed'));
  });
  tree.on('unlinkDir', (path) => {
    folders -= 1;
    links.forgetBelow(path);
  });
  try {
    await Promise.race([once(tree, 'ready'), failed]);
  } catch (error) {
    await tree.close();
    throw error;
  }
  isReady = true;
  onError = events.onError;
  await noteLinksBelow(folder, links);
  return () => tree.close();
}

function chokidarFor(folder: string): FSWatcher {
  return watch(folder, {
    // Otherwise chokidar shares its watches by path, and goes on with that of a folder that left.
    persistent: false,
    ignored: (path: string, stats?: Stats) =>
      stats?.isFile() === true || (path !== folder && isIgnoredName(basename(path))),
    followSymlinks: false,
    depth: watchDepthMax,
    // Folders that are there are counted, too.
    ignoreInitial: false,
    ignorePermissionErrors: true,
    atomic: false,
  });
}

function swapTeller(links: LinkMemory, events: TreeEvents): (path: string) => Promise<void> {
  let looking = 0;
  return async (path) => {
    if (looking >= lookingMax) return;
    looking += 1;
    try {
      const target = await targetOf(path);
      if (target === null) return links.noteGone(path);
      if (!links.note(path, target)) return;
      const leadsTo = await stat(path).catch(() => null);
      if (leadsTo?.isDirectory() === true) events.onSign('swapped', { path, change: 'entered' });
    } finally {
      looking -= 1;
    }
  };
}
