/**
 * CPUs that the kernel keeps for one slice: a remote partition root of cgroup v2's cpuset controller,
 * which Linux has since 6.7. Systemd knows no word for it and leaves these files alone.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset-interface-files
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SliceCpus, SliceFields } from '../../model/slice.ts';
import { hasErrno } from './io-error.ts';
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
  const parent = dirname(folder);
  // Nobody changes the CPUs of a partition while it is one, and none has what its parent has not.
  await tell(folder, kind, 'member');
  if (isAsked) await tell(parent, set, [...(await setsIn(parent)), wanted].join(','));
  await tell(folder, set, wanted);
  await tell(parent, set, (await setsIn(parent)).join(','));
  if (isAsked) await tell(folder, kind, 'root');
}

async function setsIn(parent: string): Promise<readonly string[]> {
  const names = await foldersIn(parent);
  const sets = await Promise.all(names.map((name) => textIn(join(parent, name), set)));
  return sets.flatMap((text) => text?.trim() || []);
}

/** What the kernel refuses its state tells, with the reason: no guest is kept from starting for it. */
async function tell(folder: string, name: string, text: string): Promise<void> {
  try {
    await writeFile(join(folder, name), `${text}\n`);
  } catch (error) {
    if (!hasErrno(error, 'EINVAL') && !hasErrno(error, 'EBUSY')) throw error;
  }
}
