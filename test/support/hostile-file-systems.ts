/**
 * Image disks by which a Primary could try to read files of the host, to crash what reads them, or to use up
 * what is not its own; and ones that are only unusual. Each is made of a sound one, in a folder that is thrown
 * away, by e2fsprogs or byte by byte.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { ObjectionCode } from '../../src/host/image-objection.ts';

const MiB = 2 ** 20;
export const diskBytes = 32 * MiB;
/** Where it is expected, and what it is. Beside it is another one, which nothing may happen to. */
export const wantedPath = 'images/debian';
export const otherPath = 'images/other';
export const wantedFile: Buffer = randomBytes(MiB);
export const otherFile: Buffer = randomBytes(MiB + 1234);

export interface HostileFileSystem {
  readonly what: string;
  /** How taking the file out is refused; empty: it is not. */
  readonly taken: readonly ObjectionCode[];
  /** How making the disk smaller by that file is refused; empty: it is not. */
  readonly moved: readonly ObjectionCode[];
  readonly path?: string;
  /** @param canary a file of the host that must not be read */
  readonly make: (disk: string, canary: string) => void;
}

const e2fs = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Requests of debugfs, which sees to all checksums. */
export const debugfs = (disk: string, ...requests: readonly string[]): void => {
  for (const request of requests) e2fs('debugfs', '-w', '-R', request, disk);
};

/** A file of it; null: there is none. @param to where there may be a file */
export function fileOn(disk: string, path: string, to: string): Buffer | null {
  rmSync(to, { force: true });
  e2fs('debugfs', '-R', `dump /${path} ${to}`, disk);
  return existsSync(to) ? readFileSync(to) : null;
}

/** @throws Error unless it is sound */
export function checkFileSystem(disk: string): void {
  e2fs('e2fsck', '-f', '-n', disk);
}

interface Made {
  readonly options?: readonly string[];
  /** Besides the two files. */
  readonly fill?: (tree: string) => void;
}

/** With both files on it. */
function makeFileSystem(disk: string, { options = [], fill }: Made = {}): void {
  const tree = mkdtempSync(join(dirname(disk), 'tree-'));
  try {
    mkdirSync(join(tree, 'images'));
    writeFileSync(join(tree, wantedPath), wantedFile);
    writeFileSync(join(tree, otherPath), otherFile);
    fill?.(tree);
    const common = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-N', '64'];
    truncateSync(disk, 0);
    truncateSync(disk, diskBytes);
    e2fs('mke2fs', ...common, ...options, '-d', tree, disk);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** Without checksums, so that any byte can be another. */
const bare = { options: ['-O', '^metadata_csum,^64bit'] } as const;

function patch(
  disk: string,
  ...words: readonly (readonly [at: number, bytes: Uint8Array])[]
): void {
  const file = openSync(disk, 'r+');
  for (const [at, bytes] of words) writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

const superblock = (field: number) => 1024 + field;

/** A field of 32 bits of a superblock without checksum. */
const withSuper = (field: number, value: number) => (disk: string) => {
  makeFileSystem(disk, bare);
  patch(disk, [superblock(field), u32(value)]);
};

const asked =
  (...requests: readonly string[]) =>
  (disk: string) => {
    makeFileSystem(disk);
    debugfs(disk, ...requests);
  };

/** Where an inode is, on a disk without 64bit: group 0 has all of them. */
function inodeAt(disk: string, path: string): number {
  const place = e2fs('debugfs', '-R', `imap /${path}`, disk);
  const found = /located at block (\d+), offset 0x([0-9a-f]+)/.exec(place);
  if (found === null) throw new Error(place);
  return Number(found[1]) * 4096 + Number.parseInt(found[2] ?? '', 16);
}

/** Other bytes in its inode, from there. */
const withInode = (path: string, at: number, bytes: Uint8Array) => (disk: string) => {
  makeFileSystem(disk, bare);
  patch(disk, [inodeAt(disk, path) + at, bytes]);
};

/** The root of an inode's extents (60 bytes at 40): one entry, of the given depth, that leads to a block. */
function extents(depth: number, block: number, length = 256): Buffer {
  const root = Buffer.alloc(60);
  root.writeUInt16LE(0xf30a, 0);
  root.writeUInt16LE(1, 2);
  root.writeUInt16LE(4, 4);
  root.writeUInt16LE(depth, 6);
  root.writeUInt32LE(0, 12);
  if (depth === 0) {
    root.writeUInt16LE(length, 16);
    root.writeUInt32LE(block, 20);
  } else {
    root.writeUInt32LE(block, 16);
  }
  return root;
}

/** The first block of a file. */
function firstBlock(disk: string, path: string): number {
  return Number(e2fs('debugfs', '-R', `bmap /${path} 0`, disk).trim());
}

/** A block of extents that leads to itself, in the place of the first one of the file. */
function makeExtentLoop(disk: string): void {
  makeFileSystem(disk, bare);
  const block = firstBlock(disk, wantedPath);
  const loop = Buffer.alloc(4096);
  extents(1, block).copy(loop);
  loop.writeUInt16LE(340, 4);
  patch(disk, [block * 4096, loop], [inodeAt(disk, wantedPath) + 40, extents(2, block)]);
}

/** The name of the file leads to another inode. */
const withEntry = (inode: number) => (disk: string) => {
  makeFileSystem(disk, bare);
  const at = firstBlock(disk, 'images') * 4096;
  const file = openSync(disk, 'r');
  const block = Buffer.alloc(4096);
  readSync(file, block, 0, 4096, at);
  closeSync(file);
  patch(disk, [at + block.indexOf('debian') - 8, u32(inode)]);
};

/** A file to which there is nothing left to add. */
function fillUp(disk: string): void {
  const dir = mkdtempSync(join(dirname(disk), 'fill-'));
  const rest = join(dir, 'rest');
  const free = Number(/Free blocks:\s+(\d+)/.exec(e2fs('debugfs', '-R', 'stats -h', disk))?.[1]);
  writeFileSync(rest, Buffer.alloc((free - 4) * 4096, 'x'));
  debugfs(disk, `write ${rest} rest`);
  rmSync(dir, { recursive: true });
}

export const hostileFileSystems: readonly HostileFileSystem[] = [
  {
    what: 'nothing but zeroes',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: (disk) => truncateSync(disk, 0),
  },
  {
    what: 'noise',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: (disk) => writeFileSync(disk, randomBytes(diskBytes)),
  },
  {
    what: 'another magic number',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: withSuper(56, 0x1234_5678),
  },
  {
    what: 'a superblock whose checksum is wrong',
    // It is only read, and what comes out of it has a digest.
    taken: [],
    moved: ['Corrupt'],
    make: (disk) => {
      makeFileSystem(disk);
      patch(disk, [superblock(120), Buffer.from('another name')]);
    },
  },
  {
    what: 'features that nobody knows',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: withSuper(96, 0x8000_0042),
  },
  {
    what: 'blocks of 4 TiB',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: withSuper(24, 32),
  },
  {
    what: 'no inodes in a group',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: withSuper(40, 0),
  },
  {
    what: 'no blocks in a group',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: withSuper(32, 0),
  },
  {
    what: 'four thousand million inodes',
    taken: ['NoFileSystem'],
    moved: ['NoFileSystem'],
    make: withSuper(0, 0xffff_ffff),
  },
  {
    what: 'more blocks than the disk has',
    taken: [],
    moved: ['Corrupt'],
    make: withSuper(4, 32_768),
  },
  {
    what: 'sixteen terabytes',
    taken: ['NoFileSystem', 'OverLimits', 'Corrupt'],
    moved: ['NoFileSystem', 'OverLimits', 'Corrupt'],
    make: withSuper(4, 0xffff_ffff),
  },
  {
    what: 'a journal that was not replayed',
    taken: ['StillMounted'],
    moved: ['StillMounted'],
    make: asked('feature needs_recovery'),
  },
  {
    what: 'a state that is not clean',
    taken: ['StillMounted'],
    moved: ['StillMounted'],
    make: asked('set_super_value state 0'),
  },
  {
    what: 'no such file',
    taken: ['NotOnDisk'],
    moved: [],
    path: 'images/none',
    make: (disk) => makeFileSystem(disk),
  },
  {
    what: 'a folder',
    taken: ['NotAFile'],
    moved: [],
    path: 'images',
    make: (disk) => makeFileSystem(disk),
  },
  {
    what: 'a link to a file of the host',
    taken: ['NotAFile'],
    moved: [],
    path: 'images/link',
    make: (disk, canary) =>
      makeFileSystem(disk, { fill: (tree) => symlinkSync(canary, join(tree, 'images/link')) }),
  },
  {
    what: 'a way through a link to a folder of the host',
    taken: ['NotOnDisk'],
    moved: [],
    path: 'out/canary',
    make: (disk, canary) =>
      makeFileSystem(disk, { fill: (tree) => symlinkSync(dirname(canary), join(tree, 'out')) }),
  },
  {
    what: 'links that lead in a circle',
    taken: ['NotOnDisk'],
    moved: [],
    path: 'a/file',
    make: (disk) =>
      makeFileSystem(disk, {
        fill: (tree) => {
          symlinkSync('b', join(tree, 'a'));
          symlinkSync('a', join(tree, 'b'));
        },
      }),
  },
  {
    what: 'a device',
    taken: ['NotAFile'],
    moved: [],
    path: 'zero',
    make: asked('mknod zero c 1 5'),
  },
  {
    what: 'a pipe',
    taken: ['NotAFile'],
    moved: [],
    path: 'pipe',
    make: asked('mknod pipe p'),
  },
  {
    what: 'a file of eight terabytes, all of it holes',
    taken: ['OtherSize'],
    moved: [],
    make: asked(`set_inode_field ${wantedPath} size ${8 * 2 ** 40}`),
  },
  {
    what: 'a file that is shorter than was said',
    taken: ['OtherSize'],
    moved: [],
    make: (disk) =>
      makeFileSystem(disk, {
        fill: (tree) => truncateSync(join(tree, wantedPath), wantedFile.length - 1),
      }),
  },
  {
    what: 'an inode beyond the last',
    taken: ['NotOnDisk'],
    moved: ['Corrupt'],
    make: withEntry(0x7fff_ffff),
  },
  {
    what: 'the journal in the place of the file',
    taken: ['OtherSize'],
    moved: ['Corrupt'],
    make: withEntry(8),
  },
  {
    what: 'a folder as a file, by its type',
    taken: ['NotOnDisk', 'NotAFile'],
    moved: ['Corrupt'],
    make: withInode('images', 0, Buffer.from([0xa4, 0x81])),
  },
  {
    what: 'extents that lead to themselves',
    taken: ['OtherSize', 'Corrupt', 'OverLimits'],
    moved: ['Corrupt', 'OverLimits'],
    make: makeExtentLoop,
  },
  {
    what: 'extents of an absurd depth',
    taken: ['OtherSize', 'Corrupt'],
    moved: ['Corrupt'],
    make: withInode(wantedPath, 40, extents(0xffff, 100)),
  },
  {
    what: 'extents beyond the end of the disk',
    taken: ['OtherSize', 'Corrupt'],
    moved: ['Corrupt'],
    make: withInode(wantedPath, 40, extents(0, 0x7fff_0000)),
  },
  {
    what: 'a folder of a terabyte',
    taken: ['OverLimits', 'NotOnDisk'],
    moved: ['Corrupt', 'OverLimits'],
    path: 'images/none',
    make: asked(`set_inode_field images size ${2 ** 40}`),
  },
  {
    what: 'two files that have the same blocks',
    taken: [],
    moved: ['Corrupt'],
    make: (disk) => {
      makeFileSystem(disk, bare);
      const block = firstBlock(disk, wantedPath);
      patch(disk, [inodeAt(disk, otherPath) + 40, extents(0, block)]);
    },
  },
  {
    what: 'a folder that holds itself',
    taken: [],
    moved: ['Corrupt'],
    path: 'images/loop/loop/loop/debian',
    make: asked('link images images/loop'),
  },
  {
    what: 'a list of free blocks that says that all are free',
    taken: [],
    moved: ['Corrupt'],
    make: asked('freeb 60 4000'),
  },
];

/** What is only unusual, and nothing is wrong with. */
export const unusualFileSystems: readonly Pick<HostileFileSystem, 'what' | 'moved' | 'make'>[] = [
  { what: 'one as it was made', moved: [], make: (disk) => makeFileSystem(disk) },
  { what: 'no checksums', moved: [], make: (disk) => makeFileSystem(disk, bare) },
  {
    what: 'blocks of 1 KiB',
    moved: [],
    make: (disk) => makeFileSystem(disk, { options: ['-b', '1024'] }),
  },
  {
    what: 'no journal',
    moved: [],
    make: (disk) => makeFileSystem(disk, { options: ['-O', '^has_journal'] }),
  },
  {
    what: 'no room left',
    moved: [],
    make: (disk) => {
      makeFileSystem(disk);
      fillUp(disk);
    },
  },
  {
    what: 'no room left, and another name of the file',
    moved: ['NoRoomToShrink'],
    make: (disk) => {
      makeFileSystem(disk);
      debugfs(disk, `link ${wantedPath} twice`, `sif ${wantedPath} links_count 2`);
      fillUp(disk);
    },
  },
];
