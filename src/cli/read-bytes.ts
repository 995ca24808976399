/**
 * The bytes of a file or a pipe, bounded, and given up when a signal fires. A pipe is read as a
 * socket: opened as a file it would hold one of Node's few threads until somebody writes to it, and
 * a process with such a thread does not even exit.
 */
import { close, constants, createReadStream, fstat, open } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { promisify } from 'node:util';
import { CommandError, usageError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { endedEarly, type Limits } from './pass.ts';

/**
 * @param bytesMax the rest is left unread, without a word
 * @throws CommandError `usage` for what cannot be read; HostError when the limits end it
 */
export async function readBytes(
  path: string,
  bytesMax: number,
  limits: Limits,
): Promise<Uint8Array> {
  return givenUp(path, limits, async () =>
    collect(await openStream(path, bytesMax), bytesMax, limits.stop),
  );
}

/** Runs `read`, and says of its failure what was read, or that it was given up. */
export async function givenUp(
  path: string,
  limits: Limits,
  read: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  try {
    return await read();
  } catch (cause) {
    if (limits.stop.aborted) throw endedEarly(limits, `${path} was read`);
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(exitCodes.usage, `cannot read ${path}`, { cause });
  }
}

/** Rejects when the signal fires first. */
export async function collect(
  stream: Readable,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of addAbortSignal(signal, stream)) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length >= bytesMax) break;
  }
  return Buffer.concat(chunks, Math.min(length, bytesMax));
}

/** The stream has the descriptor from then on. */
async function openStream(path: string, bytesMax: number): Promise<Readable> {
  // Without waiting for whoever opens the other end of a pipe.
  const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await promisify(fstat)(fd);
  if (stats.isFIFO()) return new Socket({ fd, writable: false });
  if (stats.isFile()) return createReadStream(path, { fd, end: bytesMax - 1 });
  await promisify(close)(fd);
  throw usageError(`${path} is neither a file nor a pipe`, 'standard input is -');
}
