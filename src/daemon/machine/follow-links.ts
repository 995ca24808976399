/**
 * Where a path leads, and every name that it goes by on the way: each of them can be renamed or
 * become a link to another place, and then the path leads elsewhere.
 */
import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { identityOf } from './read-file.ts';

/** A name in a folder that has no link in its own path. */
export interface Pin {
  readonly folder: string;
  readonly name: string;
}

export interface Place {
  readonly pins: readonly Pin[];
  /** With no link in it. */
  readonly real: string;
  readonly identity: string;
}

/** As Linux itself. */
const linksMax = 40;

/** @throws as the system says it; ELOOP is one that leads nowhere */
export async function placeOf(path: string): Promise<Place> {
  const pins: Pin[] = [];
  const names = namesOf(path);
  let real = '/';
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      real = dirname(real);
      continue;
    }
    pins.push({ folder: real, name });
    const at = join(real, name);
    if (!(await lstat(at)).isSymbolicLink()) {
      real = at;
      continue;
    }
    links += 1;
    if (links > linksMax) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
    const target = await readlink(at);
    if (target.startsWith('/')) real = '/';
    names.unshift(...namesOf(target));
  }
  return { pins, real, identity: identityOf(await stat(real, { bigint: true })) };
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
