/** What is read of the host's own groups, on folders that stand for the kernel's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readHostGroups } from '../../../../src/host/local/host-groups.ts';

let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'groups-'));
  put('cgroup/cgroup.controllers', 'cpu memory\n');
});
afterEach(() => rmSync(machine, { recursive: true }));

function put(file: string, text: string): void {
  mkdirSync(join(machine, file, '..'), { recursive: true });
  writeFileSync(join(machine, file), text);
}

function group(name: string, files: Readonly<Record<string, string>> = {}): void {
  const all = { 'cgroup.events': 'populated 1\n', ...files };
  for (const [file, text] of Object.entries(all)) put(`cgroup/${name}/${file}`, text);
}

function daemon(pidFile: string, pid: number, path: string): void {
  put(`run/${pidFile}`, `${pid}\n`);
  put(`proc/${pid}/task/${pid}/cgroup`, `0::${path}\n`);
}

const read = () =>
  readHostGroups({
    root: join(machine, 'cgroup'),
    proc: join(machine, 'proc'),
    systemd: join(machine, 'systemd'),
    run: join(machine, 'run'),
  });

const systemd = () => mkdirSync(join(machine, 'systemd'));

test('systemd has three, of which libvirt is in one', async () => {
  systemd();
  group('system.slice', { 'memory.min': '1048576\n', 'cpu.weight': '200\n' });
  group('user.slice', { 'memory.min': 'max\n', 'cpu.weight': '100\n' });
  group('init.scope', { 'memory.min': '0\n' });
  group('unnest.slice', { 'memory.min': '0\n', 'cpu.weight': '50\n' });
  group('machine.slice');
  daemon('libvirtd.pid', 42, '/system.slice/libvirtd.service');
  daemon('libvirt/network/default.pid', 43, '/system.slice/libvirtd.service');
  put(
    'proc/self/mounts',
    `cgroup2 ${machine}/cgroup cgroup2 rw,nsdelegate,memory_recursiveprot 0 0\n`,
  );
  expect(await read()).toEqual({
    hasSystemd: true,
    handsDown: true,
    partitionsWeight: 50,
    groups: [
      { name: 'init.scope', memoryMinBytes: 0, cpuWeight: null },
      { name: 'system.slice', memoryMinBytes: 1048576, cpuWeight: 200 },
      { name: 'user.slice', memoryMinBytes: Number.POSITIVE_INFINITY, cpuWeight: 100 },
    ],
  });
});

test('without systemd they are wherever libvirt has been put', async () => {
  group('virt', { 'memory.min': '4096\n' });
  daemon('libvirtd.pid', 42, '/virt/libvirtd');
  daemon('libvirt/network/default.pid', 43, '/');
  put('run/libvirt/network/other.conf', '');
  put('proc/self/mounts', `cgroup2 ${machine}/cgroup cgroup2 rw 0 0\n`);
  expect(await read()).toMatchObject({
    hasSystemd: false,
    handsDown: false,
    partitionsWeight: 100,
    groups: [{ name: '' }, { name: 'virt', memoryMinBytes: 4096 }],
  });
});

test('a pid file of one that has ended names nobody', async () => {
  put('run/libvirtd.pid', '42\n');
  expect(await read()).toMatchObject({ groups: [] });
});

test('a host without cgroup v2 has none', async () => {
  rmSync(join(machine, 'cgroup/cgroup.controllers'));
  expect(await read()).toBeNull();
});
