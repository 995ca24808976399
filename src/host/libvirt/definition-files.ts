/**
 * Signs that libvirt gives nobody as an event: `setvcpus`, `setmem --config`, `attach-device
 * --config`. All of them write a file that is named for the domain, in libvirt's own
 * folders, which are only looked at and never read. Where they cannot be watched, the periodic look
 * has to do.
 */
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import type { Timers } from '../../libvirt/index.ts';

/** Definitions, and what libvirtd keeps of what runs. */
export const definitionFolders: readonly string[] = ['/etc/libvirt/qemu', '/run/libvirt/qemu'];

/** A folder that is not there may come: libvirtd makes its own with the first definition. */
const lookAgainMs = 5000;

/** @param onDomain the name of one of whose files something has happened. @returns how to stop */
export function watchDefinitions(
  folders: readonly string[],
  onDomain: (domainName: string) => void,
  timers: Timers,
): () => void {
  const stops = folders.map((folder) => watchOne(folder, onDomain, timers));
  return () => {
    for (const stop of stops) stop();
  };
}

function watchOne(
  folder: string,
  onDomain: (domainName: string) => void,
  timers: Timers,
): () => void {
  let watcher: FSWatcher | undefined;
  let timer: unknown;
  let isClosed = false;
  let isLate = false;
  const again = () => {
    isLate = true;
    watcher?.close();
    watcher = undefined;
    timers.clearTimeout(timer);
    if (!isClosed) timer = timers.setTimeout(begin, lookAgainMs);
  };
  const tell = (file: string | null) => {
    const name = domainOf(file);
    if (name !== null) onDomain(name);
  };
  const begin = () => {
    try {
      watcher = watch(folder, { persistent: false }, (_event, file) => tell(file));
      watcher.on('error', again);
      // What was written before it could be watched has told nobody.
      if (isLate) for (const file of readdirSync(folder)) tell(file);
      isLate = false;
    } catch {
      again();
    }
  };
  begin();
  return () => {
    isClosed = true;
    timers.clearTimeout(timer);
    watcher?.close();
  };
}

/** `NAME.xml`, and `NAME.xml.new`, which libvirt writes first. */
function domainOf(file: string | null): string | null {
  return /^(.+)\.xml(?:\.new)?$/.exec(file ?? '')?.[1] ?? null;
}
