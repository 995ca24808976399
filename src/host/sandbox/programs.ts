/** The programs that make a sandbox, wherever this machine has them. Where one is missing, nothing replaces it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerPlace } from '../worker-places.ts';
import type { SandboxPrograms } from './command.ts';

export interface Problem {
  /** What is missing, and what to do. */
  readonly problem: string;
}

export const systemFolders: readonly string[] = [
  '/usr/bin',
  '/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/sbin',
];

export function programIn(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** @param folders where they are looked for, in this order */
export function sandboxProgramsIn(folders: readonly string[]): SandboxPrograms | Problem {
  const find = (name: string) => programIn(folders, name);
  const bwrap = find('bwrap');
  if (bwrap === undefined) {
    return { problem: 'there is no bwrap on this machine: apt-get install bubblewrap' };
  }
  const [prlimit, setpriv, choom] = ['prlimit', 'setpriv', 'choom'].map(find);
  if (prlimit === undefined || setpriv === undefined || choom === undefined) {
    return { problem: 'there is no prlimit, setpriv or choom here: apt-get install util-linux' };
  }
  const isRoot = process.getuid?.() === 0;
  return { bwrap, prlimit, choom, setpriv: isRoot ? setpriv : null };
}

/** What runs a command in a place, as the first words of it. */
export function launcherIn(
  folders: readonly string[],
  place: WorkerPlace | null,
): { readonly words: readonly string[] } | Problem {
  const launcher = place?.launcher ?? null;
  if (launcher === null) return { words: [] };
  const program = programIn(folders, launcher.program);
  if (program === undefined) return { problem: `there is no ${launcher.program} on this machine` };
  return { words: [program, ...launcher.args] };
}

/** Whether these are the words of a program around the one in the sandbox, which could not make it. */
export function isSandboxComplaint(words: string): boolean {
  return /^(?:bwrap|choom|setpriv|prlimit|\/prlimit): /.test(words);
}
