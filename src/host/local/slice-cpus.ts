/**
 * CPUs that the kernel keeps for one slice: a remote partition root of cgroup v2's cpuset controller,
 * which Linux has since 6.7. Systemd knows no word for it and leaves these files alone.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset-interface-files
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SliceCpus, SliceFields } from '../../model/slice.ts';
import { foldersIn, textIn } from './slice-files.ts';

const [set, kind] = ['cpuset.cpus.exclusive', 'cpuset.cpus.partition'];

export async function readCpus(folder: string): Promise<SliceCpus> {
  const [effective, partition, exclusive] = await Promise.all(
    ['cpuset.cpus.effective', kind, set].map((name) => textIn(folder, name)),
  );
  const isAble = typeof exclusive === 'string';
  return {
    effective: effective?.trim() || null,
    partition: (isAble && partition?.trim()) || null,
  };
}

/** Whether the kernel was asked to, be it that it cannot just now; null: it has never heard of it. */
export function isExclusive({ partition }: SliceCpus): boolean | null {
  return partition === null ? null : partition !== 'member';
}

/**
 * All CPUs again. Told to, systemd 252 no longer writes that file and leaves what is in it, as long as
 * another of its units needs the controller.
 */
export async function giveAllCpus(folder: string): Promise<void> {
  if ((await textIn(folder, 'cpuset.cpus'))?.trim()) {
    await writeFile(join(folder, 'cpuset.cpus'), '\n');
  }
}

/** Does nothing where the kernel cannot. */
export async function separateCpus(
  folder: string,
  { cpuset, exclusiveCpus }: Pick<SliceFields, 'cpuset' | 'exclusiveCpus'>,
): Promise<void> {
  const [before, state] = await Promise.all([textIn(folder, set), textIn(folder, kind)]);
  if (before === null) return;
  const isAsked = exclusiveCpus === true && cpuset !== null;
  const wanted = isAsked ? cpuset : '';
  // Whoever has them does not give them up for a moment because something else is changed.
  if (before.trim() === wanted && state?.trim() === (isAsked ? 'root' : 'member')) return;
  // Nobody changes the CPUs of a partition while it is one.
  await writeFile(join(folder, kind), 'member');
  await writeFile(join(folder, set), `${wanted}\n`);
  await handDown(dirname(folder));
  if (isAsked) await writeFile(join(folder, kind), 'root');
}

/** The group above may give only what it was given. */
async function handDown(parent: string): Promise<void> {
  const names = await foldersIn(parent);
  const sets = await Promise.all(names.map((name) => textIn(join(parent, name), set)));
  const all = sets.flatMap((text) => text?.trim() || []);
  await writeFile(join(parent, set), `${all.join(',')}\n`);
}
