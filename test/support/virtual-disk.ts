/**
 * Files, folders and links in memory, and the signs that they give. It outlives the runtime that
 * uses it, as a disk does; the operations here are those of the people beside the daemon.
 */
import { posix } from 'node:path';
import {
  FileError,
  type FileErrorCode,
  type FileSign,
  type NameSign,
} from '../../src/daemon/runtime.ts';

export type DiskNode =
  | {
      readonly kind: 'file';
      readonly id: number;
      bytes: Uint8Array;
      mode: number;
      changedAt: number;
    }
  | {
      readonly kind: 'folder';
      readonly id: number;
      readonly entries: Map<string, DiskNode>;
      mode: number;
      changedAt: number;
    }
  | {
      readonly kind: 'link';
      readonly id: number;
      readonly target: string;
      readonly changedAt: number;
    }
  | { readonly kind: 'other'; readonly id: number; readonly changedAt: number };
export type Folder = Extract<DiskNode, { kind: 'folder' }>;

export interface Found {
  readonly node: DiskNode;
  /** With no link in it. */
  readonly real: string;
}

interface Watcher {
  readonly folder: string;
  readonly onSign: (sign: FileSign, name?: NameSign) => void;
  real: string;
  id: number;
}

const linksMax = 40;

export class VirtualDisk {
  readonly root: Folder = { kind: 'folder', id: 0, entries: new Map(), mode: 0o755, changedAt: 0 };
  readonly #watchers = new Set<Watcher>();
  /** What a loss of power would bring back; null: nothing was there. */
  readonly #unsynced = new Map<string, DiskNode | null>();
  readonly #now: () => number;
  #nextId = 1;
  #lastStamp = -Infinity;

  /** @param now milliseconds since the epoch, for the times of files */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** Writes in place, as `>` of a shell does. Makes the folders above it. */
  write(path: string, content: string | Uint8Array): void {
    this.folder(posix.dirname(path));
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const node = this.find(path)?.node;
    if (node?.kind === 'file') {
      node.bytes = bytes;
      node.changedAt = this.#stamp();
    } else {
      this.put(path, { kind: 'file', bytes, mode: 0o644 });
    }
    this.#tell(path, 'written');
  }

  /** Puts a whole file in place by a rename, as a careful program does. Makes the folders above it. */
  replace(path: string, content: string | Uint8Array): void {
    this.folder(posix.dirname(path));
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.put(path, { kind: 'file', bytes, mode: 0o644 });
  }

  /** Makes a folder and those above it. */
  folder(path: string): void {
    if (path === '/' || this.find(path) !== null) return;
    this.folder(posix.dirname(path));
    this.put(path, { kind: 'folder', mode: 0o755 });
  }

  /** Makes a link, or puts it in the place of another by a rename, as git-sync and the kubelet do. */
  link(path: string, target: string): void {
    this.folder(posix.dirname(path));
    const node = { kind: 'link', id: this.#nextId++, target, changedAt: this.#stamp() } as const;
    const old = this.findEntry(path);
    this.#enter(path, node);
    const leads = this.find(path)?.node.kind;
    this.#tell(path, 'entered');
    if (old?.kind === 'link' && leads === 'folder') this.#tell(path, 'swapped');
  }

  /** Of whatever is there, over whatever is there. */
  rename(from: string, to: string): void {
    const node = this.findEntry(from);
    if (node === null) throw missing(from);
    this.#parent(from).entries.delete(posix.basename(from));
    this.#enter(to, node);
    this.#tell(from, 'entered');
    this.#tell(to, 'entered');
  }

  /** Puts a folder in the place of another, in one step. What was there is at `from` then. */
  exchange(from: string, to: string): void {
    const [one, other] = [this.findEntry(from), this.findEntry(to)];
    if (one === null || other === null) throw missing(one === null ? from : to);
    this.#enter(from, other);
    this.#enter(to, one);
    this.#tell(from, 'entered');
    this.#tell(to, 'entered');
  }

  /** With all that is below it. */
  remove(path: string): void {
    if (this.findEntry(path) === null) return;
    this.#parent(path).entries.delete(posix.basename(path));
    this.#unsynced.delete(path);
    this.#tell(path, 'entered');
  }

  /** Without the bit 0o400, nobody can read it. */
  chmod(path: string, mode: number): void {
    const node = this.find(path)?.node;
    if (node?.kind !== 'file' && node?.kind !== 'folder') throw missing(path);
    node.mode = mode;
    node.changedAt = this.#stamp();
    this.#tell(path, 'written');
  }

  /** A device, a pipe or a socket. */
  other(path: string): void {
    this.folder(posix.dirname(path));
    this.put(path, { kind: 'other' });
  }

  /** Of a file; null: there is none. */
  text(path: string): string | null {
    const node = this.find(path)?.node;
    return node?.kind === 'file' ? new TextDecoder().decode(node.bytes) : null;
  }

  modeOf(path: string): number | null {
    const node = this.find(path)?.node;
    return node?.kind === 'file' || node?.kind === 'folder' ? node.mode : null;
  }

  /** Every file below a folder, by its whole path. */
  filesBelow(path: string): readonly string[] {
    const node = this.find(path)?.node;
    if (node?.kind !== 'folder') return [];
    return [...node.entries]
      .flatMap(([name, entry]) => {
        const below = posix.join(path, name);
        return entry.kind === 'folder' ? this.filesBelow(below) : [below];
      })
      .sort();
  }

  /** As after a loss of power: what was swapped and never synced is as it was before. */
  loseUnsynced(): void {
    for (const [path, before] of this.#unsynced) {
      if (before === null) this.#parent(path).entries.delete(posix.basename(path));
      else this.#enter(path, before);
    }
    this.#unsynced.clear();
  }

  /** For the runtime: a whole file by a rename, which a loss of power may take back or not. */
  putFile(path: string, bytes: Uint8Array, mode: number, durable: boolean): void {
    if (durable) this.#unsynced.delete(path);
    else if (!this.#unsynced.has(path)) this.#unsynced.set(path, this.findEntry(path));
    this.put(path, { kind: 'file', bytes, mode });
  }

  put(
    path: string,
    node:
      | { kind: 'file'; bytes: Uint8Array; mode: number }
      | { kind: 'folder'; mode: number }
      | { kind: 'other' },
  ): void {
    const common = { id: this.#nextId++, changedAt: this.#stamp() };
    this.#enter(
      path,
      node.kind === 'folder'
        ? { ...node, ...common, entries: new Map<string, DiskNode>() }
        : { ...node, ...common },
    );
    this.#tell(path, 'entered');
  }

  /** Follows every link. Null: nothing is there. @throws FileError NotAFile where a file is on the way */
  find(path: string, linksLeft = linksMax): Found | null {
    let found: Found = { node: this.root, real: '/' };
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (found.node.kind !== 'folder') return null;
      const node = found.node.entries.get(name);
      if (node === undefined) return null;
      const at: string = posix.join(found.real, name);
      if (node.kind !== 'link') {
        found = { node, real: at };
        continue;
      }
      if (linksLeft === 0) throw failure('Failed', `${path} has too many links`);
      const next = this.find(posix.resolve(found.real, node.target), linksLeft - 1);
      if (next === null) return null;
      found = next;
    }
    return found;
  }

  /** What stands in the folder itself: a link is not followed. */
  findEntry(path: string): DiskNode | null {
    const parent = this.find(posix.dirname(path))?.node;
    if (parent?.kind !== 'folder') return null;
    return parent.entries.get(posix.basename(path)) ?? null;
  }

  watch(folder: string, onSign: (sign: FileSign, name?: NameSign) => void): () => void {
    const found = this.find(folder);
    if (found === null) throw missing(folder);
    if (found.node.kind !== 'folder') throw failure('NotAFile', `${folder} is not a folder`);
    const watcher = { folder, onSign, real: found.real, id: found.node.id };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Never the same twice, though time stands still. */
  #stamp(): number {
    this.#lastStamp = Math.max(this.#now(), this.#lastStamp + 0.001);
    return this.#lastStamp;
  }

  #parent(path: string): Folder {
    const node = this.find(posix.dirname(path))?.node;
    if (node?.kind !== 'folder') throw missing(posix.dirname(path));
    return node;
  }

  #enter(path: string, node: DiskNode): void {
    const parent = this.#parent(path);
    parent.entries.set(posix.basename(path), node);
    parent.changedAt = this.#stamp();
  }

  #tell(path: string, what: NameSign['change'] | 'swapped'): void {
    const parent = this.find(posix.dirname(path))?.real ?? posix.dirname(path);
    const real = posix.join(parent, posix.basename(path));
    for (const watcher of this.#watchers) {
      const sign = this.#signFor(watcher, real, what);
      if (sign === null) continue;
      if (sign.said === 'lost') this.#watchers.delete(watcher);
      // Later, as from a kernel: whoever changes a file does not wait for those who watch it.
      queueMicrotask(() => {
        if (sign.said === 'lost' || this.#watchers.has(watcher)) {
          watcher.onSign(sign.said, sign.name);
        }
      });
    }
  }

  #signFor(watcher: Watcher, real: string, what: NameSign['change'] | 'swapped'): Sign | null {
    const found = this.find(watcher.folder);
    if (found === null || found.node.kind !== 'folder') return { said: 'lost' };
    const isAnother = found.node.id !== watcher.id;
    watcher.real = found.real;
    watcher.id = found.node.id;
    if (isAnother) return { said: 'swapped' };
    // The folder's own name is not below it.
    if (real === found.real) return what === 'written' ? { said: 'changed' } : null;
    if (!real.startsWith(`${found.real}/`)) return null;
    if (what === 'swapped') return { said: what, name: { path: real, change: 'entered' } };
    return { said: 'changed', name: { path: real, change: what } };
  }
}

interface Sign {
  readonly said: FileSign;
  readonly name?: NameSign;
}

export function failure(code: FileErrorCode, message: string): FileError {
  return new FileError(code, message);
}

export function missing(path: string): FileError {
  return failure('Missing', `${path} is not there`);
}
