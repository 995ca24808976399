/**
 * Whether a program is root's alone: what the unit names runs as root, so whoever can write to it, or
 * put something else in its place or in that of a folder on the way to it, is root.
 */
import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HostError } from '../host-error.ts';
import { hasErrno, ioError } from './io-error.ts';

/** As Linux itself. */
const linksMax = 40;

/**
 * The first thing on the way to it that somebody else may write to, links followed as in the installed
 * system; null: there is none. Who owns an image's root stands for root in it.
 * @param root absolute
 * @param path of a program, as the installed system names it
 * @throws HostError
 */
export async function writableByOthers(root: string, path: string): Promise<string | null> {
  try {
    const owners = [0, (await stat(root)).uid];
    for await (const at of wayTo(root, path)) {
      const { uid, gid, mode } = await lstat(at);
      const isOpen = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
      if (isOpen || !owners.includes(uid)) return at;
    }
    return null;
  } catch (error) {
    if (error instanceof HostError) throw error;
    if (hasErrno(error, 'ENOENT') || hasErrno(error, 'ENOTDIR')) {
      throw new HostError(
        'Unsupported',
        `there is no ${join(root, path)}, which the unit would run`,
      );
    }
    throw ioError(`looking at the way to ${join(root, path)}`, error);
  }
}

/** Every folder that a name on the way is in, and the file at last; of links only where they lead. */
async function* wayTo(root: string, path: string): AsyncGenerator<string> {
  const names = namesOf(path);
  let at = root;
  yield at;
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      if (at !== root) at = dirname(at);
      continue;
    }
    const next = join(at, name);
    if (!(await lstat(next)).isSymbolicLink()) {
      at = next;
      yield at;
      continue;
    }
    links += 1;
    if (links > linksMax) throw new HostError('Unsupported', `too many links lead to ${path}`);
    const target = await readlink(next);
    if (target.startsWith('/')) at = root;
    names.unshift(...namesOf(target));
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
