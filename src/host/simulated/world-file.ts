/**
 * A simulated world in a file. It is read anew for every call and replaced as a whole by every
 * change, under a lock of its own: two programs on one file see each other and lose nothing. A file
 * that is not there is an empty host; one that is spoilt is an error, and stays as it is.
 */
import { readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from '../host-error.ts';
import { hasErrno, ioError } from '../local/io-error.ts';
import { type Lock, lockName } from '../local/lock.ts';
import type { Keeper } from './keeper.ts';
import { emptyWorld, type World } from './world.ts';
import { parseWorld, worldText } from './world-text.ts';

export function keepInFile(path: string): Keeper {
  return {
    read: () => readWorld(path),
    change: async (act, signal) => {
      // The name a link leads to, or the link would be replaced, and locked, in the file's stead.
      const real = await realFile(path);
      const lock = await lockFile(real, signal);
      try {
        return await changeWorld(real, act);
      } finally {
        await lock.release();
      }
    },
  };
}

async function readWorld(path: string): Promise<World> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return emptyWorld();
    throw ioError(`reading ${path}`, error);
  }
  try {
    return parseWorld(content);
  } catch (cause) {
    throw new HostError('Protocol', `${path} does not hold a simulated host`, { cause });
  }
}

async function changeWorld<T>(path: string, act: (world: World) => T): Promise<T> {
  const world = await readWorld(path);
  try {
    return act(world);
  } finally {
    await replace(path, worldText(world));
  }
}

/**
 * All or nothing for whoever reads, and for a process that dies. Not flushed to disk: of a machine
 * that dies no simulated guest survives either.
 */
async function replace(path: string, content: string): Promise<void> {
  const draft = `${path}.new`;
  try {
    await writeFile(draft, content);
    await rename(draft, path);
  } catch (error) {
    throw ioError(`writing ${path}`, error);
  }
}

async function realFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    // Not there yet: its folder decides, and writing will say what is wrong with that.
    const folder = dirname(resolve(path));
    return join(await realpath(folder).catch(() => folder), basename(path));
  }
}

/** A change takes a few milliseconds, so that five seconds of tries mean that something is wrong. */
const lockTriesMax = 500;
const lockRetryMs = 10;

async function lockFile(path: string, signal: AbortSignal | null): Promise<Lock> {
  const conflict = `another process is changing ${path}`;
  for (let tries = 0; tries < lockTriesMax; tries += 1) {
    try {
      return await lockName(`simulated host\0${path}`, conflict);
    } catch (error) {
      if (!(error instanceof HostError) || error.code !== 'Conflict') throw error;
    }
    if (signal?.aborted) throw new HostError('Cancelled', `waiting to change ${path}`);
    // Two that wait for each other do not try at the same moments.
    await sleep(lockRetryMs * 2 * Math.random());
  }
  throw new HostError('Timeout', conflict);
}
