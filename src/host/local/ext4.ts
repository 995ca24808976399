/**
 * What e2fsprogs are asked for: to make the file system of an image disk, to take a file out of it, and to make
 * it smaller or larger. A guest writes it, so they run in the sandbox of images and nowhere else, and no kernel
 * of ours ever mounts it. What they say is as hostile: of their words only numbers and our own marks are read.
 */
import { stat } from 'node:fs/promises';
import { BLOCK_BYTES, IMAGE_DISK_PATH } from '../../model/image-disk.ts';
import type { PartitionName } from '../../model/names.ts';
import { HostError } from '../host-error.ts';
import { objection, refusal } from '../image-objection.ts';
import type { WorkerPlaces } from '../worker-places.ts';
import { IMAGE, type ImageTask, imageSandbox, OUTPUT } from './image-sandbox.ts';
import { judged } from './judged.ts';

export type Ext4FileKind = 'file' | 'folder' | 'link' | 'device';

export interface Ext4File {
  readonly kind: Ext4FileKind;
  readonly sizeBytes: number;
}

/** Each rejects with a `HostError`, `Refused` with an `objection` where it is about what the guest wrote. */
export interface Ext4 {
  /** @param disk of nothing but zeroes */
  make(disk: string, sizeBytes: number, signal: AbortSignal): Promise<void>;
  /** Rejects unless it is one that was unmounted. */
  checkUnmounted(disk: string, signal: AbortSignal): Promise<void>;
  /** Null: there is nothing of that path, or it cannot be reached. */
  find(disk: string, path: string, signal: AbortSignal): Promise<Ext4File | null>;
  /** @param to an empty file, which gets no more than `bytesMax` */
  dump(
    disk: string,
    path: string,
    to: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether it is sound, and as large as it says. Nothing is mended. */
  isSound(disk: string, signal: AbortSignal): Promise<boolean>;
  /** Of what is not there it is done already. */
  remove(disk: string, path: string, signal: AbortSignal): Promise<void>;
  /** The file system, and not the file: that is not shorter than either. Rejects if it does not fit. */
  resize(disk: string, sizeBytes: number, signal: AbortSignal): Promise<void>;
}

export type Ext4For = (partition: PartitionName) => Ext4;

const what = 'the image disk';
const quick = { timeLimitMs: 60_000, cpuSeconds: 30 };
/** All of its tables are read. */
const thorough = { timeLimitMs: 600_000, cpuSeconds: 300 };
/** Of what is as slow as a disk. */
const slow = { timeLimitMs: 3_600_000, cpuSeconds: 1800 };

export function sandboxedExt4(places: WorkerPlaces, folders?: readonly string[]): Ext4For {
  return (partition) => {
    const sandbox = imageSandbox(partition, places, folders);
    const run = (task: ImageTask, signal: AbortSignal) =>
      judged(what, task.tool, () => sandbox.run(task, signal));
    const ask = (disk: string, request: string, signal: AbortSignal) =>
      run(
        { tool: 'debugfs', args: ['-R', request, IMAGE], image: disk, isPrivate: true, ...quick },
        signal,
      );
    return {
      make: async (disk, sizeBytes, signal) => {
        const output = { path: disk, bytesMax: sizeBytes };
        await sandbox.run(
          { tool: 'mke2fs', args: [...newOptions, OUTPUT], output, ...quick },
          signal,
        );
      },
      checkUnmounted: async (disk, signal) =>
        checkState(await ask(disk, 'show_super_stats -h', signal)),
      find: async (disk, path, signal) =>
        inodeIn(await ask(disk, `inode_dump ${quoted(path)}`, signal)),
      dump: async (disk, path, to, bytesMax, signal) => {
        const args = ['-R', `dump ${quoted(path)} ${OUTPUT}`, IMAGE];
        const output = { path: to, bytesMax };
        await run({ tool: 'debugfs', args, image: disk, isPrivate: true, output, ...slow }, signal);
      },
      isSound: async (disk, signal) => {
        const args = ['-f', '-n', IMAGE];
        const task = { tool: 'e2fsck', args, image: disk, isPrivate: true, ...thorough } as const;
        try {
          await run(task, signal);
          return true;
        } catch (error) {
          if (objectionOf(error) === 'Corrupt') return false;
          throw error;
        }
      },
      remove: async (disk, path, signal) => {
        const args = ['-w', '-R', `rm ${quoted(path)}`, OUTPUT];
        await run({ tool: 'debugfs', args, output: await whole(disk), ...thorough }, signal);
      },
      resize: async (disk, sizeBytes, signal) => {
        const output = await whole(disk);
        // It wants to see that this was done, and with 1 it says that it has brought its sums up to date.
        const check = { args: ['-f', '-y', OUTPUT], exitCodes: [0, 1], ...thorough };
        await run({ tool: 'e2fsck', ...check, output }, signal);
        const args = [OUTPUT, `${sizeBytes / sectorBytes}s`];
        const task = { tool: 'resize2fs', args, output, ...slow } as const;
        await judged(what, task.tool, () => fitting(() => sandbox.run(task, signal)));
      },
    };
  };
}

/** Few inodes, as there are few files, and large ones; nothing kept for root, who is the guest's. */
const newOptions =
  `-q -F -t ext4 -b ${BLOCK_BYTES} -i ${2 ** 20} -m 0 -L unnest-images -E nodiscard,lazy_itable_init=0,lazy_journal_init=1`.split(
    ' ',
  );

const sectorBytes = 512;

/** For debugfs, which takes its requests apart at spaces and quotes. */
function quoted(path: string): string {
  if (IMAGE_DISK_PATH.test(path)) return `/${path}`;
  throw new Error(`"${path}" is no path of a file on an image disk`);
}

/** A file of ours in all its length, and no longer. */
async function whole(path: string) {
  return { path, bytesMax: (await stat(path)).size };
}

/** By the superblock: a journal to be replayed is what a file system has while it is mounted. */
function checkState(said: string): void {
  const features = /^Filesystem features:(.*)$/m.exec(said)?.[1];
  if (features === undefined) {
    throw refusal(what, objection('NoFileSystem', 'there is no ext4 on it that could be read'));
  }
  const state = /^Filesystem state:\s+(.*)$/m.exec(said)?.[1] ?? '';
  if (!features.split(' ').includes('needs_recovery') && state.startsWith('clean')) return;
  throw refusal(what, objection('StillMounted', 'its file system was not unmounted'));
}

/** What `inode_dump` shows of one, 16 bytes a line by their octal place; `*` is more of the line before. */
function inodeIn(said: string): Ext4File | null {
  const lines = [...said.matchAll(/^([0-7]{4,})  ((?:[0-9a-f]{4} ){8})/gm)];
  if (lines.length === 0) return null;
  const inode = Buffer.alloc(inodeBytes);
  for (const [index, [, place = '', digits = '']] of lines.entries()) {
    const line = Buffer.from(digits.replaceAll(' ', ''), 'hex');
    const ends = Number.parseInt(lines[index + 1]?.[1] ?? '', 8) || inodeBytes;
    for (let at = Number.parseInt(place, 8); at < Math.min(ends, inodeBytes); at += line.length) {
      line.copy(inode, at);
    }
  }
  // ext4(5): i_mode, i_size_lo and i_size_high.
  const sizeBytes = inode.readUInt32LE(108) * 2 ** 32 + inode.readUInt32LE(4);
  return { kind: kindOf(inode.readUInt16LE(0)), sizeBytes };
}

/** Of every inode at least. */
const inodeBytes = 128;

function kindOf(mode: number): Ext4FileKind {
  switch (mode >> 12) {
    case 0o10:
      return 'file';
    case 0o4:
      return 'folder';
    case 0o12:
      return 'link';
    default:
      return 'device';
  }
}

async function fitting(resize: () => Promise<unknown>): Promise<void> {
  try {
    await resize();
  } catch (error) {
    const said = error instanceof HostError && error.cause instanceof Error ? error.cause : null;
    if (!/smaller than minimum|[Nn]o space left|[Nn]ot enough space/.test(said?.message ?? '')) {
      throw error;
    }
    const words = 'without what it gives, it is still too full to become as small';
    throw refusal(what, objection('NoRoomToShrink', words), error);
  }
}

function objectionOf(error: unknown): unknown {
  return error instanceof HostError ? error.context['objection'] : undefined;
}
