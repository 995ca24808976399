/** The links in a folder and where each says that it leads, so that a swap can be told from a change. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LinkMemory } from './link-memory.ts';

/** How deep below the folder anything is watched. */
export const watchDepthMax = 8;

/** Never documents, and thousands of folders. */
export function isIgnoredName(name: string): boolean {
  return name === '.git';
}

/** What cannot be read is not there: this only tells one sign from another. */
export async function noteLinksBelow(folder: string, links: LinkMemory): Promise<void> {
  await collect(folder, watchDepthMax, links);
}

async function collect(folder: string, depth: number, links: LinkMemory): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (isIgnoredName(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await targetOf(path);
      if (target !== null) links.note(path, target);
    } else if (entry.isDirectory() && depth > 0) {
      await collect(path, depth - 1, links);
    }
  }
}

/** Null: there is no link. */
export async function targetOf(path: string): Promise<string | null> {
  return readlink(path).catch(() => null);
}
