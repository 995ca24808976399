/** The runtime's files on a disk in memory, with everything that can go wrong with them. */
import { posix } from 'node:path';
import type { FileErrorCode, FileFacts, Files } from '../../src/daemon/runtime.ts';
import { byName } from '../../src/model/names.ts';
import { type DiskNode, failure, type Found, missing, type VirtualDisk } from './virtual-disk.ts';

export type FileCall =
  | 'read'
  | 'list'
  | 'facts'
  | 'resolve'
  | 'replace'
  | 'append'
  | 'swap'
  | 'remove'
  | 'makeFolder'
  | 'watch';

export interface FileUse {
  readonly call: FileCall;
  readonly path: string;
  /** From 1; of writes only (replace, swap, remove, makeFolder); 0 for the others. */
  readonly writeNumber: number;
}

/** What spoils a use of files; null: nothing does. */
export type FileFault = (use: FileUse) => FileErrorCode | null;

export interface VirtualFiles extends Files {
  /** May be added to and emptied while it is used. */
  readonly faults: FileFault[];
  /** All there was, in order. */
  readonly uses: readonly FileUse[];
  /** How many of them are writes. */
  readonly writes: number;
  /**
   * The process dies at its n-th write from the beginning, before or after that has come to the
   * disk: that one and everything later rejects, and nothing more is written.
   */
  crashAtWrite(number: number, when: 'before' | 'after'): void;
  /** It dies now. */
  crash(): void;
  readonly crashed: boolean;
}

const writing: readonly FileCall[] = ['replace', 'swap', 'append', 'remove', 'makeFolder'];

/** @param onCrash is told once */
export function virtualFiles(disk: VirtualDisk, onCrash: () => void = () => {}): VirtualFiles {
  const faults: FileFault[] = [];
  const uses: FileUse[] = [];
  const life = { writes: 0, crashed: false, crashAt: 0, crashWhen: 'before' as 'before' | 'after' };
  const crash = () => {
    if (life.crashed) return;
    life.crashed = true;
    onCrash();
  };
  const use = async <T>(call: FileCall, path: string, act: () => T): Promise<T> => {
    await Promise.resolve();
    if (life.crashed) throw failure('Failed', 'the process is dead');
    const isWrite = writing.includes(call);
    if (isWrite) life.writes += 1;
    const entry = { call, path, writeNumber: isWrite ? life.writes : 0 };
    uses.push(entry);
    const crashesNow = isWrite && life.writes === life.crashAt;
    if (crashesNow && life.crashWhen === 'before') crash();
    const code = faults.map((fault) => fault(entry)).find((found) => found !== null);
    if (code !== undefined && code !== null) throw failure(code, `${call} of ${path}`);
    if (life.crashed) throw failure('Failed', 'the process is dead');
    const result = act();
    if (crashesNow) crash();
    if (life.crashed) throw failure('Failed', 'the process is dead');
    return result;
  };
  return {
    ...readingFrom(disk, use),
    ...writingTo(disk, use),
    watch: (folder, onSign) =>
      use('watch', folder, () => {
        const stop = disk.watch(folder, (sign, name) => {
          if (!life.crashed) onSign(sign, name);
        });
        return { close: async () => stop() };
      }),
    faults,
    uses,
    crash,
    crashAtWrite: (number, when) => void Object.assign(life, { crashAt: number, crashWhen: when }),
    get writes() {
      return life.writes;
    },
    get crashed() {
      return life.crashed;
    },
  };
}

type Use = <T>(call: FileCall, path: string, act: () => T) => Promise<T>;

function readingFrom(disk: VirtualDisk, use: Use) {
  return {
    read: (path, bytesMax, within) =>
      use('read', path, () => {
        const { node, real } = there(disk, path);
        if (node.kind !== 'file') throw failure('NotAFile', `${path} is not a file`);
        if (within !== undefined && !real.startsWith(`${within}/`)) {
          throw failure('PermissionDenied', `${path} leads out of ${within}`);
        }
        readable(node, path);
        if (node.bytes.length > bytesMax) throw failure('TooLarge', `${path} is too large`);
        return node.bytes.slice();
      }),
    list: (path) =>
      use('list', path, () => {
        const { node } = there(disk, path);
        if (node.kind !== 'folder') throw failure('NotAFile', `${path} is not a folder`);
        readable(node, path);
        return [...node.entries]
          .map(([name, { kind }]) => ({ name, kind }))
          .sort((a, b) => byName(a.name, b.name));
      }),
    facts: (path) => use('facts', path, () => factsOf(there(disk, path).node)),
    resolve: (path) => use('resolve', path, () => there(disk, path).real),
  } satisfies Partial<Files>;
}

function writingTo(disk: VirtualDisk, use: Use) {
  const put = (path: string, content: string | Uint8Array, mode: number, durable: boolean) => {
    if (there(disk, posix.dirname(path)).node.kind !== 'folder') throw missing(path);
    if (disk.findEntry(path)?.kind === 'folder') throw failure('NotAFile', `${path} is a folder`);
    disk.putFile(path, Buffer.from(content), mode, durable);
  };
  return {
    replace: (path, content, mode) => use('replace', path, () => put(path, content, mode, true)),
    swap: (path, content, mode) => use('swap', path, () => put(path, content, mode, false)),
    append: (path, content, mode) =>
      use('append', path, () => {
        const found = disk.find(path)?.node;
        const before = found?.kind === 'file' ? found.bytes : new Uint8Array();
        put(path, Buffer.concat([before, Buffer.from(content)]), mode, false);
      }),
    remove: (path) =>
      use('remove', path, () => {
        const entry = disk.findEntry(path);
        if (entry?.kind === 'folder') throw failure('NotAFile', `${path} is a folder`);
        disk.remove(path);
      }),
    makeFolder: (path, mode) =>
      use('makeFolder', path, () => {
        const found = disk.find(path)?.node;
        if (found?.kind === 'folder') return;
        if (found !== undefined) throw failure('NotAFile', `${path} is not a folder`);
        disk.folder(posix.dirname(path));
        disk.put(path, { kind: 'folder', mode });
      }),
  } satisfies Partial<Files>;
}

function there(disk: VirtualDisk, path: string): Found {
  const found = disk.find(path);
  if (found === null) throw missing(path);
  return found;
}

function readable(node: { readonly mode: number }, path: string): void {
  if ((node.mode & 0o400) === 0) throw failure('PermissionDenied', `${path} may not be read`);
}

function factsOf(node: DiskNode): FileFacts {
  return {
    kind: node.kind,
    bytes: node.kind === 'file' ? node.bytes.length : 0,
    identity: `virtual:${node.id}`,
    changedAt: node.changedAt,
  };
}

/** Spoils every write at or below a path, or every one there is. */
export function writesFail(code: FileErrorCode, below = '/'): FileFault {
  return ({ writeNumber, path }) => (writeNumber > 0 && isBelow(path, below) ? code : null);
}

/** Spoils one write, counted from 1. */
export function writeFails(number: number, code: FileErrorCode): FileFault {
  return ({ writeNumber }) => (writeNumber === number ? code : null);
}

/** Spoils every use of a call at or below a path. */
export function callFails(call: FileCall, code: FileErrorCode, below = '/'): FileFault {
  return (use) => (use.call === call && isBelow(use.path, below) ? code : null);
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
