/**
 * Whether a folder is small enough to be watched. Each folder in it costs one of the host's watches
 * (fs.inotify.max_user_watches), of which the host's other programs need some, too; and whoever
 * writes there may be a tenant.
 */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isIgnoredName, watchDepthMax } from './links-below.ts';

/** Far above any folder of documents. */
export const watchedFoldersMax = 1000;
/** All of them are listed when a watch begins. */
const entriesMax = 100_000;

interface Seen {
  folders: number;
  entries: number;
}

/** Looks no further than to where it is known. What cannot be read is not watched either. */
export async function isSmallEnough(folder: string): Promise<boolean> {
  const seen: Seen = { folders: 1, entries: 0 };
  await count(folder, watchDepthMax, seen);
  return fits(seen);
}

async function count(folder: string, depth: number, seen: Seen): Promise<void> {
  const entries = await opendir(folder).catch(() => null);
  if (entries === null) return;
  const folders: string[] = [];
  // It is closed by that, too.
  for await (const entry of entries) {
    seen.entries += 1;
    if (entry.isDirectory() && !isIgnoredName(entry.name)) {
      seen.folders += 1;
      folders.push(entry.name);
    }
    if (!fits(seen)) return;
  }
  if (depth === 0) return;
  for (const name of folders) {
    await count(join(folder, name), depth - 1, seen);
    if (!fits(seen)) return;
  }
}

function fits({ folders, entries }: Seen): boolean {
  return folders <= watchedFoldersMax && entries <= entriesMax;
}
