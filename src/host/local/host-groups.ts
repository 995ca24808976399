/** Which control groups this machine works in: systemd's three, and wherever libvirt has put itself. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SLICES } from '../../model/identity.ts';
import type { HostGroup, HostGroups } from '../host-groups.ts';
import { groupsOf, isGroup, pidIn, textIn } from './slice-files.ts';
import { hasSlices, machineSlices, makerFor, type SlicePlaces } from './slices.ts';

export interface HostPlaces extends Pick<SlicePlaces, 'root' | 'proc' | 'systemd'> {
  /** Where daemons leave their process ids. */
  readonly run: string;
}

const machine: HostPlaces = { ...machineSlices, run: '/run' };

/** What systemd has at the top besides what it is told of. */
const systemdGroups = ['system.slice', 'user.slice', 'init.scope'];
/** Of libvirt's daemons; those of dnsmasq are in a folder. */
const pidFiles = ['libvirtd.pid', 'virtqemud.pid', 'virtnetworkd.pid'];
const dnsmasqFolder = 'libvirt/network';

/** @returns null: the host has no cgroup v2 */
export async function readHostGroups(places: HostPlaces = machine): Promise<HostGroups | null> {
  const { root, proc, systemd } = places;
  const all = { ...machineSlices, ...places };
  if (!hasSlices(all)) return null;
  const found = [...(await systemdNames(places)), ...(await libvirtNames(places))];
  const names = [...new Set(found)].toSorted();
  const [ours = ''] = makerFor(all)
    .folder({ path: `${SLICES}/p` })
    .split('/');
  return {
    hasSystemd: existsSync(systemd),
    handsDown: /\bmemory_recursiveprot\b/.test(await mountOf(root, proc)),
    partitionsWeight: (await weightOf(root, ours)) ?? weightDefault,
    groups: await Promise.all(names.map((name) => groupAt(root, name))),
  };
}

const weightDefault = 100;

async function systemdNames({ root }: HostPlaces): Promise<readonly string[]> {
  const isThere = await Promise.all(systemdGroups.map((name) => isGroup(join(root, name))));
  return systemdGroups.filter((_name, index) => isThere[index]);
}

async function libvirtNames({ run, proc }: HostPlaces): Promise<readonly string[]> {
  const folder = join(run, dnsmasqFolder);
  const files = existsSync(folder) ? await readdir(folder) : [];
  const dnsmasq = files.filter((name) => name.endsWith('.pid')).map((name) => join(folder, name));
  const pids = [...pidFiles.map((name) => join(run, name)), ...dnsmasq];
  const groups = await Promise.all(pids.map((path) => groupOf(path, proc)));
  return groups.flat();
}

/** The top of it; none for who is not there. */
async function groupOf(pidFile: string, proc: string): Promise<readonly string[]> {
  const pid = await pidIn(dirname(pidFile), basename(pidFile)).catch(() => null);
  if (pid === null) return [];
  return (await groupsOf(pid, proc)).map((path) => path.split('/')[1] ?? '');
}

async function groupAt(root: string, name: string): Promise<HostGroup> {
  const min = ((await textIn(join(root, name), 'memory.min')) ?? '0').trim();
  return {
    name,
    memoryMinBytes: min === 'max' ? Number.POSITIVE_INFINITY : Number(min),
    cpuWeight: await weightOf(root, name),
  };
}

async function weightOf(root: string, name: string): Promise<number | null> {
  const text = await textIn(join(root, name), 'cpu.weight');
  return text === null ? null : Number(text.trim());
}

/** How the tree is mounted. */
async function mountOf(root: string, proc: string): Promise<string> {
  const mounts = (await textIn(join(proc, 'self'), 'mounts')) ?? '';
  return mounts.split('\n').find((line) => line.split(' ')[1] === root) ?? '';
}
