import { describe, expect, test } from 'vitest';
import { reserveChecks } from '../../../src/cli/host-reserve.ts';
import type { HostGroup, HostGroups } from '../../../src/host/host-groups.ts';
import type { SumLine } from '../../../src/report/host-sum.ts';

const MiB = 2 ** 20;

const line = (reserved: number, there: number | null = 8): SumLine => ({
  promised: 0,
  available: there,
  there,
  reserved,
  factor: 1,
});

const group = (name: string, mebibytes = 0, cpuWeight: number | null = 100): HostGroup => ({
  name,
  memoryMinBytes: mebibytes * MiB,
  cpuWeight,
});

const systemd = ['init.scope', 'system.slice', 'user.slice'];

const host = (groups: readonly HostGroup[], more: Partial<HostGroups> = {}): HostGroups => ({
  hasSystemd: true,
  handsDown: true,
  partitionsWeight: 100,
  groups,
  ...more,
});

function said(
  groups: readonly HostGroup[],
  { vcpus = 0, mebibytes = 1024, ...more }: Partial<HostGroups> & Record<string, unknown> = {},
): readonly string[] {
  const reserved = { vcpus: line(Number(vcpus)), memoryBytes: line(Number(mebibytes) * MiB) };
  return reserveChecks(reserved, host(groups, more)).map(
    ({ status, finding, mend }) => `${status} ${finding}${mend === null ? '' : ` | ${mend}`}`,
  );
}

test('what is reserved is for whoever serves partitions, but for a little', () => {
  expect(said(systemd.map((name) => group(name)))).toEqual([
    'warning init.scope keeps 0 B of 32MiB of hostReserved | systemctl set-property init.scope MemoryMin=32M',
    'warning system.slice keeps 0 B of 928MiB of hostReserved | systemctl set-property system.slice MemoryMin=928M',
    'warning user.slice keeps 0 B of 64MiB of hostReserved | systemctl set-property user.slice MemoryMin=64M',
  ]);
});

test('only what is missing is to be done', () => {
  const groups = [group('init.scope', 32), group('system.slice', 500), group('user.slice', 4096)];
  expect(said(groups)).toEqual([
    'warning system.slice keeps 500MiB of 928MiB of hostReserved | systemctl set-property system.slice MemoryMin=928M',
  ]);
});

test('where it is so already, that is said', () => {
  const groups = [
    group('init.scope', 32),
    group('system.slice', 928),
    { ...group('user.slice'), memoryMinBytes: Number.POSITIVE_INFINITY },
  ];
  expect(said(groups)).toEqual([
    'ok init.scope keeps 32MiB, system.slice keeps 928MiB, user.slice keeps all it has',
  ]);
});

describe('CPUs are kept by weight', () => {
  const kept = (weight: number | null) => [
    group('init.scope', 32),
    group('system.slice', 928, weight),
    group('user.slice', 64),
  ];

  test('against all partitions together', () => {
    // 6 of 8 CPUs are three times what is left.
    expect(said(kept(299), { vcpus: 6 })).toEqual([
      'warning system.slice keeps 928MiB of 928MiB of hostReserved, with a CPU weight of 299 where 300 is needed | systemctl set-property system.slice MemoryMin=928M CPUWeight=300',
    ]);
    expect(said(kept(300), { vcpus: 6 })[0]).toMatch(/^ok/);
    expect(said(kept(300), { vcpus: 6, partitionsWeight: 200 })[0]).toMatch(/600 is needed/);
  });

  test('which half of them are by themselves', () => {
    expect(said(kept(null), { vcpus: 4 })[0]).toMatch(/^ok/);
    expect(said(kept(null), { vcpus: 5 })[0]).toMatch(/weight of 100 where 167 is needed/);
  });

  test('and never beyond what the kernel takes', () => {
    expect(said(kept(100), { vcpus: 9 })[0]).toMatch(/10000 is needed/);
  });
});

test('where nothing is reserved, nothing is said', () => {
  expect(said([group('system.slice')], { mebibytes: 0 })).toEqual([]);
});

test('what is kept for a group is not always kept for the services in it', () => {
  const [first] = said([group('system.slice')], { handsDown: false });
  expect(first).toMatch(/no memory_recursiveprot\), so that each needs its own/);
});

test('without systemd the files are named', () => {
  const groups = [group('libvirt', 0)];
  expect(said(groups, { hasSystemd: false, vcpus: 6 })).toEqual([
    'warning libvirt keeps 0 B of 1GiB of hostReserved, with a CPU weight of 100 where 300 is needed | echo 1073741824 > /sys/fs/cgroup/libvirt/memory.min; echo 300 > /sys/fs/cgroup/libvirt/cpu.weight',
  ]);
});

test('for who runs in the root nothing can be kept', () => {
  const [first] = said([group('', 4096)], { hasSystemd: false });
  expect(first).toMatch(
    /^warning libvirt runs in the root .* start libvirtd in a group of its own/,
  );
});

test('whoever else serves partitions shares what is reserved', () => {
  expect(
    said([group('libvirt.slice'), group('system.slice')]).map((each) => each.split(' | ')[1]),
  ).toEqual([
    'systemctl set-property libvirt.slice MemoryMin=512M',
    'systemctl set-property system.slice MemoryMin=512M',
  ]);
});
