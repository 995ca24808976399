/** The file of an Image, read piece by piece, and the disk that it is written to. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CommandError, usageError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

export interface ImageFile {
  readonly sizeBytes: number;
  /** As many bytes from there as there are, up to `bytes`. */
  read(atByte: number, bytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws CommandError `usage` for what is no regular file, or cannot be read */
export async function openImageFile(path: string): Promise<ImageFile> {
  const { handle, stats } = await opened(path, constants.O_RDONLY, 'read');
  if (!stats.isFile()) {
    await handle.close();
    throw usageError(`${path} is not a regular file`, 'name the file that holds the image');
  }
  return {
    sizeBytes: stats.size,
    read: async (atByte, bytes) => {
      const piece = Buffer.alloc(bytes);
      let length = 0;
      while (length < bytes) {
        const { bytesRead } = await handle.read(piece, length, bytes - length, atByte + length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return piece.subarray(0, length);
    },
    close: () => handle.close(),
  };
}

export interface LentDiskFile {
  write(piece: Uint8Array, atByte: number): Promise<void>;
  /** All that was written is on the disk then, and not only in this machine's memory. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** @throws CommandError `usage` for what is no block device (or, for trials, no file that is there) */
export async function openLentDisk(path: string): Promise<LentDiskFile> {
  // Whoever else has a file system of it mounted keeps it (open(2), O_EXCL of a block device).
  const { handle, stats } = await opened(path, constants.O_WRONLY | constants.O_EXCL, 'write to');
  if (!stats.isBlockDevice() && !stats.isFile()) {
    await handle.close();
    throw usageError(
      `${path} is no disk`,
      'name the disk that was lent: /dev/disk/by-id/virtio-...',
    );
  }
  return {
    write: async (piece, atByte) => {
      for (let done = 0; done < piece.length;) {
        const { bytesWritten } = await handle.write(
          piece,
          done,
          piece.length - done,
          atByte + done,
        );
        done += bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** @throws CommandError `usage` for a disk that is mounted, or is none */
export async function checkUnmounted(path: string): Promise<void> {
  const { handle, stats } = await opened(path, constants.O_RDONLY | constants.O_EXCL, 'let go of');
  await handle.close();
  if (stats.isBlockDevice() || stats.isFile()) return;
  throw usageError(`${path} is no disk`, 'name the image disk: /dev/disk/by-id/virtio-...');
}

async function opened(
  path: string,
  flags: number,
  doing: string,
): Promise<{ readonly handle: FileHandle; readonly stats: Stats }> {
  let handle: FileHandle;
  try {
    handle = await open(path, flags | constants.O_NONBLOCK);
  } catch (cause) {
    const isBusy = cause instanceof Error && 'code' in cause && cause.code === 'EBUSY';
    const remedy = isBusy ? { remedy: 'it is mounted, or in use: umount it first' } : {};
    throw new CommandError(exitCodes.usage, `cannot ${doing} ${path}`, { cause, ...remedy });
  }
  return { handle, stats: await handle.stat() };
}
