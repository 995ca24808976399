/**
 * Whole files or none: what is at a path is either what was there before or all of what was
 * written, whenever the process dies; with `lasting` also when the machine loses power.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, whileDoing } from './file-error.ts';

export async function writeWhole(
  path: string,
  content: string,
  mode: number,
  lasting: boolean,
): Promise<void> {
  return whileDoing(`writing ${path}`, async () => {
    const folder = dirname(path);
    const draft = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.new`);
    try {
      await writeDraft(draft, content, mode, lasting);
      await rename(draft, path);
    } catch (error) {
      // What went wrong first is what has to be said, whether or not this works.
      await rm(draft, { force: true }).catch(() => {});
      throw named(error, draft, path);
    }
    if (lasting) await syncFolder(folder);
  });
}

/** With a draft's name in it, the same trouble would read as another one each time. */
function named(error: unknown, draft: string, path: string): unknown {
  if (!(error instanceof Error) || !error.message.includes(draft)) return error;
  const message = error.message.replaceAll(draft, path);
  return Object.assign(new Error(message), { code: errnoOf(error) });
}

async function writeDraft(
  draft: string,
  content: string,
  mode: number,
  lasting: boolean,
): Promise<void> {
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    // Whatever the umask.
    await file.chmod(mode);
    if (lasting) await file.sync();
  } finally {
    await file.close();
  }
}

/** What makes names in a folder last: a file that is synced can still lose its name in a crash. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function appendTo(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  return whileDoing(`adding to ${path}`, async () => {
    const flags =
      constants.O_WRONLY + constants.O_APPEND + constants.O_CREAT + constants.O_NOFOLLOW;
    const file = await open(path, flags, mode);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  });
}

export async function removeFile(path: string): Promise<void> {
  return whileDoing(`removing ${path}`, async () => {
    try {
      await unlink(path);
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) throw error;
    }
  });
}

export async function makeFolder(path: string, mode: number): Promise<void> {
  await whileDoing(`making ${path}`, () => mkdir(path, { recursive: true, mode }));
}
