/** The links in a folder and where each says that it leads, so that a swap can be told from a change. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** How deep below the folder anything is watched. */
export const watchDepthMax = 8;
const linksMax = 10_000;

/** Never documents, and thousands of folders. */
export function isIgnoredName(name: string): boolean {
  return name === '.git';
}

/** What cannot be read is not there: this only tells one sign from another. */
export async function linksBelow(folder: string): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  await collect(folder, watchDepthMax, links);
  return links;
}

async function collect(folder: string, depth: number, links: Map<string, string>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (links.size >= linksMax || isIgnoredName(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await targetOf(path);
      if (target !== null) links.set(path, target);
    } else if (entry.isDirectory() && depth > 0) {
      await collect(path, depth - 1, links);
    }
  }
}

/** Null: there is no link. */
export async function targetOf(path: string): Promise<string | null> {
  return readlink(path).catch(() => null);
}
