/**
 * A control group as the kernel shows it in its files (cgroup v2). What systemd believes, or what we
 * wrote, is not asked: only this is enforced.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SliceFields, SliceUsage } from '../../model/slice.ts';
import { hasErrno } from './io-error.ts';

/** One that is there already is as good. */
export async function makeGroup(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

/** What the kernel has no file for, it does not do; that is seen when it is read back. */
export async function write(folder: string, name: string, text: string): Promise<void> {
  if ((await textIn(folder, name)) !== null) await writeFile(join(folder, name), text);
}

/** Whether it is there. */
export async function isGroup(folder: string): Promise<boolean> {
  return (await textIn(folder, 'cgroup.events')) !== null;
}

/** Whether anything is in it, or in a group below it. */
export async function isPopulated(folder: string): Promise<boolean> {
  return numberNamed(await textIn(folder, 'cgroup.events'), 'populated') !== 0;
}

/** @param device `MAJOR:MINOR` of the disk whose limits are meant; null: none could be limited */
export async function readFields(
  folder: string,
  device: string | null,
): Promise<Omit<SliceFields, 'memoryMinBytes' | 'exclusiveCpus'>> {
  const text = await textsIn(folder, [
    'memory.max',
    'memory.swap.max',
    'cpu.max',
    'cpu.weight',
    'cpuset.cpus',
    'pids.max',
    'io.max',
  ]);
  const swap = text('memory.swap.max');
  return {
    memoryMaxBytes: limitIn(text('memory.max')),
    // A kernel that cannot swap has no such file.
    swapMaxBytes: swap === null ? 0 : limitIn(swap),
    cpus: cpusIn(text('cpu.max')),
    cpuWeight: limitIn(text('cpu.weight')),
    cpuset: text('cpuset.cpus')?.trim() || null,
    pidsMax: limitIn(text('pids.max')),
    diskBytesPerSecond: diskLimit(text('io.max'), device, 'bps'),
    diskOperationsPerSecond: diskLimit(text('io.max'), device, 'iops'),
  };
}

/** What is promised to it, as far as the group that it is in is promised enough for all in it. */
export async function readMemoryMin(folder: string): Promise<number | null> {
  const own = await memoryMin(folder);
  if (own === 0) return null;
  const above = await memoryPromises(dirname(folder));
  return above.own < above.theirs ? null : own;
}

/** Of a group, and of all in it together, in bytes. Of what has gone: 0. */
export async function memoryPromises(
  folder: string,
): Promise<{ readonly own: number; readonly theirs: number }> {
  const inside = await foldersIn(folder);
  const [own = 0, ...each] = await Promise.all(
    [folder, ...inside.map((name) => join(folder, name))].map(memoryMin),
  );
  return { own, theirs: each.reduce((sum, bytes) => sum + bytes, 0) };
}

async function memoryMin(folder: string): Promise<number> {
  return limitIn((await textIn(folder, 'memory.min')) ?? '0') ?? Number.MAX_SAFE_INTEGER;
}

export async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((each) => each.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

export async function readUsage(folder: string): Promise<SliceUsage> {
  const text = await textsIn(folder, [
    'memory.current',
    'cpu.stat',
    'pids.current',
    'memory.events',
    'memory.pressure',
  ]);
  return {
    memoryBytes: Number(text('memory.current') ?? 0),
    cpuUs: numberNamed(text('cpu.stat'), 'usage_usec'),
    throttledUs: numberNamed(text('cpu.stat'), 'throttled_usec'),
    periods: numberNamed(text('cpu.stat'), 'nr_periods'),
    throttledPeriods: numberNamed(text('cpu.stat'), 'nr_throttled'),
    processes: Number(text('pids.current') ?? 0),
    oomKills: numberNamed(text('memory.events'), 'oom_kill'),
    memoryPressure: Number(/^full avg10=([0-9.]+)/m.exec(text('memory.pressure') ?? '')?.[1] ?? 0),
  };
}

async function textsIn(
  folder: string,
  names: readonly string[],
): Promise<(name: string) => string | null> {
  const read = await Promise.all(
    names.map(async (name) => [name, await textIn(folder, name)] as const),
  );
  const texts = new Map(read);
  return (name) => texts.get(name) ?? null;
}

/** What a daemon has written down of itself; null: nothing, or no number. */
export async function pidIn(folder: string, file: string): Promise<number | null> {
  const pid = Number((await textIn(folder, file))?.trim() || Number.NaN);
  return Number.isSafeInteger(pid) ? pid : null;
}

/** The groups of a process and of each of its threads, as `/proc` names them; empty if it has gone. */
export async function groupsOf(pid: number, proc = '/proc'): Promise<readonly string[]> {
  const tasks = join(proc, String(pid), 'task');
  try {
    const threads = await readdir(tasks);
    const texts = await Promise.all(threads.map((thread) => textIn(join(tasks, thread), 'cgroup')));
    return texts.flatMap((text) => /^0::(\/.*)$/m.exec(text ?? '')?.[1] ?? []);
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || hasErrno(error, 'ESRCH')) return [];
    throw error;
  }
}

/** Null if there is no such file. */
export async function textIn(folder: string, name: string): Promise<string | null> {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (error) {
    // A group that goes while it is read says ENODEV.
    if (['ENOENT', 'ENODEV', 'ENOTDIR', 'ESRCH'].some((errno) => hasErrno(error, errno)))
      return null;
    throw error;
  }
}

function limitIn(text: string | null): number | null {
  const word = text?.trim() ?? 'max';
  return word === 'max' ? null : Number(word);
}

/** `QUOTA PERIOD`, in microseconds. */
function cpusIn(text: string | null): number | null {
  const [quota = 'max', period = '100000'] = (text ?? '').trim().split(' ');
  return quota === 'max' || quota === '' ? null : Number(quota) / Number(period);
}

/** Of reads and writes alike; 0, which nobody asks for, where the two differ. */
function diskLimit(
  text: string | null,
  device: string | null,
  unit: 'bps' | 'iops',
): number | null {
  const line = (text ?? '').split('\n').find((each) => each.startsWith(`${device} `));
  const of = (direction: 'r' | 'w') =>
    limitIn(new RegExp(` ${direction}${unit}=(\\S+)`).exec(line ?? '')?.[1] ?? null);
  return of('r') === of('w') ? of('r') : 0;
}

function numberNamed(text: string | null, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);
}
