/**
 * The installation's identity: one random UUID in `STATE/installation.id`, written once and never
 * again. It is the only thing about this host that is stored; all else is read from the host.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type InstallationId, installationId } from '../../model/identity.ts';
import { HostError } from '../host-error.ts';
import type { InstallationReader, InstallationWriter } from '../ports.ts';
import { hasErrno, ioError } from './io-error.ts';

export function localInstallation(stateDir: string): InstallationReader & InstallationWriter {
  const path = join(stateDir, 'installation.id');
  return {
    read: () => readId(path),
    record: async (id) => {
      if (await writeOnce(path, id)) return 'applied';
      if ((await readId(path)) === id) return 'already';
      throw new HostError('Conflict', `${path} holds another id by now`);
    },
  };
}

/** A random id for an installation that has none yet. */
export function newInstallationId(): InstallationId {
  // randomUUID is by definition a valid one.
  return randomUUID() as InstallationId;
}

async function readId(path: string): Promise<InstallationId | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw ioError(`reading ${path}`, error);
  }
  const id = installationId(text.trim());
  if (id !== undefined) return id;
  // A new id would disown every VM there is, so this is for a person to mend.
  throw new HostError('Protocol', `${path} does not hold a UUID: restore it from a backup`);
}

/** All or nothing, and never over an existing file. @returns whether it was written. */
async function writeOnce(path: string, id: InstallationId): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(join(path, '..'), { recursive: true, mode: 0o755 });
    const file = await open(draft, 'w', 0o644);
    try {
      await file.writeFile(`${id}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw ioError(`writing ${path}`, error);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}
