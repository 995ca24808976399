/** Folders that are gone when this process is, unless somebody has kept them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ours = new Set<string>();

process.on('exit', () => {
  for (const folder of ours) remove(folder);
});

export function temporaryFolder(): string {
  return own(mkdtempSync(join(tmpdir(), 'unnest-lab-')));
}

/** Half made, until it is renamed. */
export function folderBeside(path: string): string {
  const folder = `${path}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  return own(folder);
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  ours.delete(folder);
}

function own(folder: string): string {
  ours.add(folder);
  return folder;
}
