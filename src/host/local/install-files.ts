/** Looking and writing below a root, which links must not lead out of. */
import { randomUUID } from 'node:crypto';
import {
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rmdir,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Found } from './install-plan.ts';
import { hasErrno, ioError } from './io-error.ts';

/** Far more than anything that is installed; what is larger is not ours. */
const fileBytesMax = 2 ** 20;

/** @param path absolute, below `root` by its letters */
export async function look(root: string, path: string): Promise<Found> {
  try {
    if (!(await isWithin(root, dirname(path)))) return { kind: 'outside' };
    const facts = await lstat(path);
    if (facts.isDirectory()) return { kind: 'folder', entries: await readdir(path) };
    if (!facts.isFile() || facts.size > fileBytesMax) return { kind: 'other' };
    return { kind: 'file', content: await readFile(path, 'utf8') };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { kind: 'missing' };
    if (hasErrno(error, 'ENOTDIR')) return { kind: 'other' };
    throw ioError(`looking at ${path}`, error);
  }
}

/** Whether the nearest folder that is there is in the root, once its links are followed. */
async function isWithin(root: string, folder: string): Promise<boolean> {
  if (root === '/') return true;
  const real = await realpath(root);
  for (let at = folder; at !== root && at !== '/'; at = dirname(at)) {
    try {
      const found = await realpath(at);
      return found === real || found.startsWith(`${real}/`);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
  return true;
}

export async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await mkdir(path);
    await chmod(path, mode);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw ioError(`making ${path}`, error);
  }
}

/** All or nothing. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const file = await open(draft, 'wx', 0o644);
    try {
      await file.writeFile(content);
      // Whatever the umask is.
      await file.chmod(0o644);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw ioError(`writing ${path}`, error);
  }
}

export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw ioError(`removing ${path}`, error);
  }
}

/** @returns whether it is gone; one with something in it stays. */
export async function removeEmptyFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return true;
    if (hasErrno(error, 'ENOTEMPTY') || hasErrno(error, 'EEXIST')) return false;
    throw ioError(`removing ${path}`, error);
  }
}
