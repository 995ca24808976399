/**
 * Tells when one of the names that lead to a folder changes: it was renamed, removed, or is a link
 * to another place now. chokidar is not used for these: at every change it lists the folder that a
 * name is in, which may be as large and busy as /tmp, and of a link that is swapped it says nothing.
 */
import { type FSWatcher, watch } from 'node:fs';
import { errnoOf } from './file-error.ts';
import type { Pin } from './follow-links.ts';

/** @throws as the system says it, such as ENOSPC where no more may be watched. @returns how to stop */
export function watchPins(pins: readonly Pin[], onChange: () => void): () => void {
  const watchers: FSWatcher[] = [];
  const stop = () => {
    for (const watcher of watchers) watcher.close();
  };
  try {
    for (const [folder, names] of namesByFolder(pins)) {
      const watcher = watchNames(folder, names, onChange);
      if (watcher !== null) watchers.push(watcher);
    }
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}

function namesByFolder(pins: readonly Pin[]): ReadonlyMap<string, ReadonlySet<string>> {
  const byFolder = new Map<string, Set<string>>();
  for (const { folder, name } of pins) {
    const names = byFolder.get(folder);
    if (names === undefined) byFolder.set(folder, new Set([name]));
    else names.add(name);
  }
  return byFolder;
}

/** Null where it may not be watched: a folder high above, that we may only pass through. */
function watchNames(
  folder: string,
  names: ReadonlySet<string>,
  onChange: () => void,
): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name === null || names.has(name)) onChange();
    });
    // It is gone, which its own name in the folder above tells as well.
    watcher.on('error', onChange);
    return watcher;
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(errnoOf(error))) return null;
    throw error;
  }
}
