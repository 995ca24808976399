/**
 * Whether what `hostReserved` keeps from partitions is kept for those who are to have it: the host's
 * own control groups, which are their operator's. So what to do is said, as commands, and never done.
 */
import type { HostGroup, HostGroups } from '../host/host-groups.ts';
import { formatApproximately } from '../model/sizes.ts';
import type { HostSum } from '../report/host-sum.ts';
import type { Check } from './environment.ts';

const MiB = 2 ** 20;

/** The first process, and whoever logs in to mend something. The rest is for who serves partitions. */
const small: ReadonlyMap<string, number> = new Map([
  ['init.scope', 32 * MiB],
  ['user.slice', 64 * MiB],
]);
/** Of all that is reserved, where that is little. */
const smallPart = 1 / 8;

interface Wanted {
  readonly memoryBytes: number;
  /** Null: no CPUs are reserved for it. */
  readonly cpuWeight: number | null;
}

/** Nothing where nothing is reserved. */
export function reserveChecks(
  { vcpus, memoryBytes }: Pick<HostSum, 'vcpus' | 'memoryBytes'>,
  host: HostGroups,
): readonly Check[] {
  if (memoryBytes.reserved === 0 && vcpus.reserved === 0) return [];
  const servers = host.groups.filter(({ name }) => !small.has(name)).length;
  const weight = weightFor(vcpus.reserved, vcpus.there, host.partitionsWeight);
  const wantedOf = ({ name }: HostGroup): Wanted =>
    small.has(name)
      ? { memoryBytes: smallOf(name, memoryBytes.reserved), cpuWeight: null }
      : { memoryBytes: wholeMiB(restOf(memoryBytes.reserved, host) / servers), cpuWeight: weight };
  const missing = host.groups.filter((group) => !has(group, wantedOf(group)));
  if (missing.length > 0) return missing.map((group) => checkOf(group, wantedOf(group), host));
  const finding = host.groups.map(keeps).join(', ');
  return finding === '' ? [] : [{ name, status: 'ok', finding, mend: null }];
}

const name = 'reserve';

function restOf(reservedBytes: number, { groups }: HostGroups): number {
  return groups.reduce((rest, group) => rest - smallOf(group.name, reservedBytes), reservedBytes);
}

function smallOf(group: string, reservedBytes: number): number {
  return wholeMiB(Math.min(small.get(group) ?? 0, reservedBytes * smallPart));
}

const wholeMiB = (bytes: number) => Math.floor(bytes / MiB) * MiB;

/** Beside all partitions together, so that it gets so many of the CPUs when everybody wants them all. */
function weightFor(reserved: number, there: number | null, partitionsWeight: number) {
  if (reserved === 0 || there === null) return null;
  const left = Math.max(0, there - reserved);
  return left === 0
    ? weightMax
    : Math.min(weightMax, Math.ceil((partitionsWeight * reserved) / left));
}

/** The kernel's. */
const weightMax = 10_000;
const weightDefault = 100;

function has(group: HostGroup, wanted: Wanted): boolean {
  const hasMemory = group.memoryMinBytes >= wanted.memoryBytes;
  return group.name !== '' && hasMemory && !lacksWeight(group, wanted);
}

function lacksWeight(group: HostGroup, wanted: Wanted): boolean {
  return (group.cpuWeight ?? weightDefault) < (wanted.cpuWeight ?? 0);
}

const keeps = ({ name: group, memoryMinBytes }: HostGroup) =>
  `${group} keeps ${memoryMinBytes === Number.POSITIVE_INFINITY ? 'all it has' : formatApproximately(memoryMinBytes)}`;

function checkOf(group: HostGroup, wanted: Wanted, host: HostGroups): Check {
  const status = 'warning';
  if (group.name === '') {
    const finding =
      'libvirt runs in the root of the control groups, where nothing can be kept for it';
    const mend = `start libvirtd in a group of its own: mkdir /sys/fs/cgroup/libvirt; echo ${wanted.memoryBytes} > /sys/fs/cgroup/libvirt/memory.min; echo PID > /sys/fs/cgroup/libvirt/cgroup.procs`;
    return { name, status, finding, mend };
  }
  const weight = lacksWeight(group, wanted)
    ? `, with a CPU weight of ${group.cpuWeight ?? weightDefault} where ${wanted.cpuWeight} is needed`
    : '';
  const down = host.handsDown
    ? ''
    : '; and nothing of it is for the services in it (no memory_recursiveprot), so that each needs its own';
  const finding = `${keeps(group)} of ${formatApproximately(wanted.memoryBytes)} of hostReserved${weight}${down}`;
  return { name, status, finding, mend: command(group.name, wanted, host) };
}

function command(
  group: string,
  { memoryBytes, cpuWeight }: Wanted,
  { hasSystemd }: HostGroups,
): string {
  if (hasSystemd) {
    const weight = cpuWeight === null ? '' : ` CPUWeight=${cpuWeight}`;
    return `systemctl set-property ${group} MemoryMin=${memoryBytes / MiB}M${weight}`;
  }
  const folder = `/sys/fs/cgroup/${group}`;
  const weight = cpuWeight === null ? '' : `; echo ${cpuWeight} > ${folder}/cpu.weight`;
  return `echo ${memoryBytes} > ${folder}/memory.min${weight}`;
}
