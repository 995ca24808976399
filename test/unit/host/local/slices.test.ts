/** What is read of a slice and written to one, on folders that stand for the kernel's. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { giveAllCpus } from '../../../../src/host/local/slice-cpus.ts';
import { localSlices } from '../../../../src/host/local/slices.ts';
import { slicePath } from '../../../../src/model/identity.ts';
import type { SliceFields } from '../../../../src/model/slice.ts';
import { installation, partition } from '../../../support/passes.ts';
import { refOf } from '../../../support/simulation.ts';

const never = new AbortController().signal;
const ref = { path: slicePath({ installation, partition }) };
const name = ref.path.replace('/unnest/', '');
const wanted: SliceFields = {
  memoryMaxBytes: 2 ** 30,
  swapMaxBytes: 0,
  cpus: 3,
  cpuWeight: 3,
  cpuset: null,
  exclusiveCpus: null,
  memoryMinBytes: null,
  pidsMax: 300,
  diskBytesPerSecond: null,
  diskOperationsPerSecond: null,
};

let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'slices-'));
  put('cgroup/cgroup.controllers', 'cpuset cpu io memory pids\n');
  put('cgroup/cgroup.subtree_control', '');
});
afterEach(() => rmSync(machine, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(join(machine, path, '..'), { recursive: true });
  writeFileSync(join(machine, path), text);
}

const read = (path: string) => readFileSync(join(machine, path), 'utf8');

function slices(hasThinPool = false) {
  return localSlices(machine, {
    root: join(machine, 'cgroup'),
    proc: join(machine, 'proc'),
    pids: join(machine, 'pids'),
    systemd: join(machine, 'systemd'),
    sysDevBlock: join(machine, 'block'),
    hasThinPool,
  });
}

/** A group as the kernel has it, below the root. */
function group(folder: string, files: Readonly<Record<string, string>>): void {
  const all = { 'cgroup.events': 'populated 0\nfrozen 0\n', 'cgroup.controllers': '', ...files };
  for (const [file, text] of Object.entries(all)) put(`cgroup/${folder}/${file}`, text);
}

const without = () => `unnest.partition/${name}.partition`;
const withSystemd = () => {
  mkdirSync(join(machine, 'systemd'));
  return `unnest.slice/unnest-${name}.slice`;
};

describe('a slice is read', () => {
  test.each([
    ['where systemd has made it', withSystemd],
    ['where it is a folder only', without],
  ])('%s', async (_, place) => {
    group(place(), {
      'memory.max': '1073741824\n',
      'memory.swap.max': '0\n',
      'cpu.max': '300000 100000\n',
      'cpu.weight': '3\n',
      'cpuset.cpus': '\n',
      'cpuset.cpus.effective': '0-3\n',
      'cpuset.cpus.partition': 'member\n',
      'memory.min': '0\n',
      'pids.max': '300\n',
      'io.max': '',
      'memory.current': '4096\n',
      'cpu.stat': 'usage_usec 12\nuser_usec 3\nnr_periods 9\nnr_throttled 2\nthrottled_usec 7\n',
      'pids.current': '5\n',
      'memory.events': 'low 0\noom 2\noom_kill 1\n',
      'memory.pressure': 'some avg10=9.00 avg60=0.00\nfull avg10=1.50 avg60=0.00 total=1\n',
    });
    expect(await slices().find(ref, never)).toEqual({
      status: 'present',
      value: {
        ...ref,
        fields: wanted,
        cpus: { effective: '0-3', partition: null },
        usage: {
          memoryBytes: 4096,
          cpuUs: 12,
          throttledUs: 7,
          periods: 9,
          throttledPeriods: 2,
          processes: 5,
          oomKills: 1,
          memoryPressure: 1.5,
        },
      },
    });
  });

  test('as limited by nothing, where the kernel says max', async () => {
    const max = 'max\n';
    group(without(), { 'memory.max': max, 'cpu.max': 'max 100000\n', 'pids.max': max });
    const seen = await slices().find(ref, never);
    expect(seen.status === 'present' && seen.value.fields).toMatchObject({
      memoryMaxBytes: null,
      cpus: null,
      pidsMax: null,
    });
  });

  test('as not there', async () => {
    expect(await slices().find(ref, never)).toEqual({ status: 'absent' });
  });

  test('not at all on a host without cgroup v2, and what to do is said', async () => {
    rmSync(join(machine, 'cgroup/cgroup.controllers'));
    await expect(slices().find(ref, never)).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('enforcement: Admission'),
    });
  });

  test('with what its disk may do, reads and writes together', async () => {
    const { dev } = await import('node:fs').then(({ statSync }) => statSync(machine));
    const id = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
    put(`block/${id}/dev`, '252:0\n');
    group(without(), { 'io.max': '252:0 rbps=max wbps=max riops=500 wiops=500\n' });
    const seen = await slices().find(ref, never);
    expect(seen.status === 'present' && seen.value.fields).toMatchObject({
      diskBytesPerSecond: null,
      diskOperationsPerSecond: 500,
    });
    group(without(), { 'io.max': '252:0 rbps=4096 wbps=max riops=500 wiops=500\n' });
    const uneven = await slices().find(ref, never);
    expect(uneven.status === 'present' && uneven.value.fields.diskBytesPerSecond).toBe(0);
    // A limit of one disk says nothing of those that a thin pool is on.
    const beside = await slices(true).find(ref, never);
    expect(beside).toMatchObject({ value: { fields: { diskOperationsPerSecond: null } } });
  });
});

describe('without systemd a slice', () => {
  const parent = 'unnest.partition';

  test('is made with its limits, and its controllers handed down one by one', async () => {
    group(parent, { 'cgroup.controllers': 'cpu memory\n', 'cgroup.subtree_control': '' });
    group(without(), {
      'memory.max': 'max\n',
      'memory.swap.max': 'max\n',
      'cpu.max': 'max 100000\n',
      'cpu.weight': '100\n',
      'pids.max': 'max\n',
    });
    await slices().apply(ref, wanted, never);
    // A folder keeps what was written last, where the kernel would add to what is there.
    expect(read(`cgroup/${parent}/cgroup.subtree_control`)).toBe('+memory');
    const seen = await slices().find(ref, never);
    expect(seen.status === 'present' && seen.value.fields).toEqual(wanted);
  });

  test('is guaranteed what the group that it is in is promised for all in it', async () => {
    const none = { 'cpu.weight': '100\n', 'cpuset.cpus': '\n', 'memory.min': '0\n' };
    group(parent, { ...none, 'cgroup.controllers': '', 'cgroup.subtree_control': '' });
    group(`${parent}/pffffffffffff.partition`, { ...none, 'memory.min': '4096\n' });
    group(without(), none);
    const guaranteed = { ...wanted, cpuset: '1,3', memoryMinBytes: 8192 };
    await slices().apply(ref, guaranteed, never);
    expect(read(`cgroup/${parent}/memory.min`).trim()).toBe('12288');
    const fields = async () => {
      const seen = await slices().find(ref, never);
      return seen.status === 'present' ? seen.value.fields : null;
    };
    expect(await fields()).toMatchObject({ cpuset: '1,3', memoryMinBytes: 8192 });
    // Somebody has written into it: what is promised below does not hold any more.
    put(`cgroup/${parent}/memory.min`, '8192\n');
    expect(await fields()).toMatchObject({ memoryMinBytes: null });
  });

  test('has CPUs for itself where the kernel can keep others off, and gives them back', async () => {
    const able = { 'cpuset.cpus.exclusive': '\n', 'cpuset.cpus.partition': 'member\n' };
    group(parent, { ...able, 'cgroup.controllers': '', 'cgroup.subtree_control': '' });
    group(`${parent}/pffffffffffff.partition`, { ...able, 'cpuset.cpus.exclusive': '0\n' });
    group(without(), { ...able, 'cpuset.cpus': '\n' });
    await slices().apply(ref, { ...wanted, cpuset: '2-3', exclusiveCpus: true }, never);
    const text = (folder: string, file: string) => read(`cgroup/${folder}/${file}`).trim();
    expect(text(without(), 'cpuset.cpus.partition')).toBe('root');
    expect(text(without(), 'cpuset.cpus.exclusive')).toBe('2-3');
    expect(text(parent, 'cpuset.cpus.exclusive').split(',').toSorted()).toEqual(['0', '2-3']);
    const exclusive = async () => {
      const seen = await slices().find(ref, never);
      return seen.status === 'present' ? seen.value.fields.exclusiveCpus : null;
    };
    expect(await exclusive()).toBe(true);
    put(`cgroup/${without()}/cpuset.cpus.partition`, 'root invalid (Cpu list is empty)\n');
    // It was asked; that it was refused is said in the status.
    expect(await exclusive()).toBe(true);
    await slices().apply(ref, wanted, never);
    expect(await exclusive()).toBe(false);
    expect(text(parent, 'cpuset.cpus.exclusive')).toBe('0');
  });

  test('runs on all CPUs again, where systemd has left it on some', async () => {
    group(without(), { 'cpuset.cpus': '1\n' });
    await giveAllCpus(join(machine, 'cgroup', without()));
    expect(read(`cgroup/${without()}/cpuset.cpus`)).toBe('\n');
    await giveAllCpus(join(machine, 'cgroup', 'gone'));
  });

  test('is refused what limits a disk where there is none', async () => {
    const call = slices().apply(ref, { ...wanted, diskBytesPerSecond: 4096 }, never);
    await expect(call).rejects.toMatchObject({ code: 'Unsupported' });
    const { dev } = statSync(machine);
    put(`block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}/dev`, '252:0\n');
    const thin = slices(true).apply(ref, { ...wanted, diskBytesPerSecond: 4096 }, never);
    await expect(thin).rejects.toThrow(/thin pool/);
  });

  test('is not removed under somebody', async () => {
    group(without(), { 'cgroup.events': 'populated 1\nfrozen 0\n' });
    await expect(slices().remove(ref, never)).rejects.toMatchObject({ code: 'Refused' });
  });
});

describe('a guest is in its slice', () => {
  const { domainName } = refOf('web');
  const thread = (id: number, path: string) => put(`proc/42/task/${id}/cgroup`, `0::${path}\n`);
  const contains = () => slices().contains(ref, refOf('web'), never);

  test('with all of its threads, or it is not', async () => {
    put(`pids/${domainName}.pid`, '42');
    thread(42, `/${without()}/guest/emulator`);
    thread(43, `/${without()}/guest/vcpu0`);
    expect(await contains()).toBe(true);
    thread(44, '/machine/elsewhere');
    expect(await contains()).toBe(false);
  });

  test('and not in one whose name only begins like it', async () => {
    put(`pids/${domainName}.pid`, '42');
    thread(42, `/${without()}x/guest`);
    expect(await contains()).toBe(false);
  });

  test('and not once it has gone', async () => {
    expect(await contains()).toBe(false);
    put(`pids/${domainName}.pid`, '42');
    expect(await contains()).toBe(false);
  });
});
