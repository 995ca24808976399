/**
 * Tells of every change below a folder, hidden names too, since links lead to them. chokidar keeps
 * one watch for each folder, and none for the files in it: that of a folder tells of its files. Its
 * raw events are listened to, because its own ones leave out links that are swapped and come late
 * while much is going on. Links are not followed: one that leads to another place below the folder
 * is watched there.
 */
import { type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { watch } from 'chokidar';
import type { NameSign } from '../runtime.ts';
import { isIgnoredName, linksBelow, targetOf, watchDepthMax } from './links-below.ts';
import { machineTimers } from './time.ts';

export interface TreeEvents {
  readonly onSign: (sign: 'swapped' | 'changed', name?: NameSign) => void;
  /** It is not watched any more, or not all of it. */
  readonly onError: (error: unknown) => void;
}

/** A folder that is new was listed before it was watched: this is to see what came in between. */
const newFolderMs = 50;

/** Resolves once nothing is missed any more. @returns how to stop */
export async function watchTree(folder: string, events: TreeEvents): Promise<() => Promise<void>> {
  const tree = watch(folder, {
    // Otherwise chokidar shares its watches by path, and goes on with that of a folder that left.
    persistent: false,
    ignored: (path: string, stats?: Stats) =>
      stats?.isFile() === true || (path !== folder && isIgnoredName(basename(path))),
    followSymlinks: false,
    depth: watchDepthMax,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    atomic: false,
  });
  let links = new Map<string, string>();
  tree.on('raw', (event: string, name: string | null, details: unknown) => {
    if (name === null) return events.onSign('changed');
    const { watchedPath } = details as { readonly watchedPath: string };
    const path = join(watchedPath, name);
    // Node says `rename` of a name that comes or goes, and `change` of what is done to a file.
    events.onSign('changed', { path, change: event === 'rename' ? 'entered' : 'written' });
    if (event === 'rename') void tellOfSwap(path, links, events);
  });
  tree.on('addDir', () => void machineTimers.after(newFolderMs, () => events.onSign('changed')));
  try {
    await new Promise<void>((done, fail) => {
      tree.on('ready', done);
      tree.on('error', fail);
    });
  } catch (error) {
    await tree.close();
    throw error;
  }
  tree.on('error', events.onError);
  links = await linksBelow(folder);
  return () => tree.close();
}

/** A link that is gone is remembered: some put a link in place by removing the old one first. */
async function tellOfSwap(
  path: string,
  links: Map<string, string>,
  events: TreeEvents,
): Promise<void> {
  const target = await targetOf(path);
  if (target === null) return;
  const before = links.get(path);
  links.set(path, target);
  if (before === undefined || before === target) return;
  const leadsTo = await stat(path).catch(() => null);
  if (leadsTo?.isDirectory() === true) events.onSign('swapped', { path, change: 'entered' });
}
