/**
 * Where links led when they were last looked at, so that a link that is put in the place of another
 * is known. It is a tenant's folder, so what is kept is bounded: so many links, a digest of where each
 * leads, and for a while those that are gone, since some put a link in place by removing the old one
 * first. A link that is not remembered is only slower: its swap is a change like any other.
 */
import { createHash } from 'node:crypto';

export interface LinkMemory {
  /** @returns whether it led elsewhere before */
  note(path: string, target: string): boolean;
  noteGone(path: string): void;
  /** A folder is gone, and every link in it. */
  forgetBelow(folder: string): void;
}

export const linksMax = 1000;
const goneMax = 100;

export function linkMemory(): LinkMemory {
  const there = new Map<string, string>();
  const gone = new Map<string, string>();
  return {
    note: (path, target) => {
      const now = digestOf(target);
      const before = there.get(path) ?? gone.get(path);
      gone.delete(path);
      if (before !== undefined || there.size < linksMax) there.set(path, now);
      return before !== undefined && before !== now;
    },
    noteGone: (path) => {
      const before = there.get(path);
      if (before === undefined) return;
      there.delete(path);
      gone.set(path, before);
      const [oldest] = gone.keys();
      if (gone.size > goneMax && oldest !== undefined) gone.delete(oldest);
    },
    forgetBelow: (folder) => {
      for (const links of [there, gone]) {
        for (const path of links.keys()) if (path.startsWith(`${folder}/`)) links.delete(path);
      }
    },
  };
}

function digestOf(target: string): string {
  return createHash('sha256').update(target).digest('base64');
}
