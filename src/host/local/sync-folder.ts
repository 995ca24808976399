/** What makes names in a folder last: a file that is synced can still lose its name in a crash. */
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder and what is missing above it, whatever the umask: QEMU has to get through. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o755 });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await chmod(made, 0o755);
    await syncFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}
