/**
 * What installing and removing come to, from what is there: pure. Files carry a stamp, so that what
 * an operator has changed is known, and is never overwritten or removed unasked.
 */
import type { InstallStep } from '../installer.ts';
import { isAsStamped } from './install-stamp.ts';

/** What stands at a path. `outside`: links lead out of the root. */
export type Found =
  | { readonly kind: 'missing' }
  | { readonly kind: 'file'; readonly content: string }
  | { readonly kind: 'folder'; readonly entries: readonly string[] }
  | { readonly kind: 'other' }
  | { readonly kind: 'outside' };

/** A file that is to be there. */
export interface WantedFile {
  readonly path: string;
  readonly content: string;
  /** Whose it is once it is there: ours to renew, or the operator's. */
  readonly owner: 'ours' | 'operator';
}

export interface WantedFolder {
  readonly path: string;
  readonly mode: number;
}

export function stepForFile(wanted: WantedFile, found: Found, force: boolean): InstallStep {
  const { path, content, owner } = wanted;
  switch (found.kind) {
    case 'missing':
      return { kind: 'write-file', path, content, because: 'missing' };
    case 'file':
      if (owner === 'operator') return { kind: 'keep', path, because: 'yours' };
      if (found.content === content) return { kind: 'keep', path, because: 'current' };
      if (isAsStamped(found.content)) {
        return { kind: 'write-file', path, content, because: 'outdated' };
      }
      if (force) return { kind: 'write-file', path, content, because: 'forced' };
      return { kind: 'conflict', path, because: 'changed' };
    case 'folder':
    case 'other':
      return { kind: 'conflict', path, because: 'not-a-file' };
    case 'outside':
      return { kind: 'conflict', path, because: 'outside' };
  }
}

/** A folder that is there keeps the mode that somebody has given it. */
export function stepForFolder({ path, mode }: WantedFolder, found: Found): InstallStep {
  switch (found.kind) {
    case 'missing':
      return { kind: 'make-folder', path, mode };
    case 'folder':
      return { kind: 'keep', path, because: 'current' };
    case 'file':
    case 'other':
      return { kind: 'conflict', path, because: 'not-a-folder' };
    case 'outside':
      return { kind: 'conflict', path, because: 'outside' };
  }
}

/** @returns null: there is nothing to remove */
export function stepToRemoveFile(
  { path, owner }: WantedFile,
  found: Found,
  force: boolean,
): InstallStep | null {
  switch (found.kind) {
    case 'missing':
      return null;
    case 'file':
      if (isAsStamped(found.content)) return { kind: 'remove-file', path, because: 'unchanged' };
      // Not even by force: it is no part of what was installed any more.
      if (owner === 'operator') return { kind: 'keep', path, because: 'yours' };
      if (force) return { kind: 'remove-file', path, because: 'forced' };
      return { kind: 'conflict', path, because: 'changed' };
    case 'folder':
    case 'other':
      return { kind: 'conflict', path, because: 'not-a-file' };
    case 'outside':
      return { kind: 'conflict', path, because: 'outside' };
  }
}

/** @param goes names that will be gone by then. @returns null: there is nothing to remove */
export function stepToRemoveFolder(
  { path }: WantedFolder,
  found: Found,
  goes: ReadonlySet<string>,
): InstallStep | null {
  switch (found.kind) {
    case 'missing':
      return null;
    case 'folder':
      return found.entries.every((name) => goes.has(`${path}/${name}`))
        ? { kind: 'remove-folder', path }
        : { kind: 'keep', path, because: 'in-use' };
    case 'file':
    case 'other':
      return { kind: 'conflict', path, because: 'not-a-folder' };
    case 'outside':
      return { kind: 'conflict', path, because: 'outside' };
  }
}
