/** Where workers are to run, on folders that stand for the kernel's. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localInstallation } from '../../../../src/host/local/installation.ts';
import { localImagePlaces, localWorkerPlaces } from '../../../../src/host/local/worker-places.ts';
import { slicePath } from '../../../../src/model/identity.ts';
import { installation, partition } from '../../../support/passes.ts';

const never = new AbortController().signal;
const path = slicePath({ installation, partition });
const name = path.replace('/unnest/', '');

let machine: string;
beforeEach(async () => {
  machine = mkdtempSync(join(tmpdir(), 'places-'));
  put('cgroup/cgroup.controllers', 'cpu memory pids\n');
  await localInstallation(machine).record(installation);
});
afterEach(() => rmSync(machine, { recursive: true }));

function put(file: string, text: string): void {
  mkdirSync(join(machine, file, '..'), { recursive: true });
  writeFileSync(join(machine, file), text);
}

function find(open = localWorkerPlaces) {
  const places = open(machine, {
    root: join(machine, 'cgroup'),
    proc: join(machine, 'proc'),
    pids: join(machine, 'pids'),
    systemd: join(machine, 'systemd'),
    sysDevBlock: join(machine, 'block'),
    hasThinPool: false,
  });
  return places.find(partition, never);
}

const slice = `unnest.slice/unnest-${name}.slice`;
const withSystemd = () => {
  mkdirSync(join(machine, 'systemd'));
  put(`cgroup/${slice}/cgroup.events`, 'populated 0\n');
};
const folder = `unnest.partition/${name}.partition`;
const without = () => put(`cgroup/${folder}/cgroup.events`, 'populated 0\n');
const thread = (pid: number, group: string) => {
  put(`proc/${pid}/task/${pid}/cgroup`, `0::/${group}\n`);
  put(`proc/${pid}/task/${pid}/children`, '');
};

describe('there is none', () => {
  test('before there is a slice', async () => {
    expect(await find()).toBeNull();
  });

  test('before there is an installation', async () => {
    without();
    rmSync(join(machine, 'installation.id'));
    expect(await find()).toBeNull();
  });

  test('on a host without cgroup v2', async () => {
    without();
    rmSync(join(machine, 'cgroup/cgroup.controllers'));
    expect(await find()).toBeNull();
  });

  test('known where the installation cannot be read', async () => {
    without();
    put('installation.id', 'no UUID');
    await expect(find()).rejects.toMatchObject({ code: 'Protocol' });
  });
});

describe('with systemd', () => {
  test('it is a scope of its own in the slice, from the first moment on', async () => {
    withSystemd();
    const place = await find();
    expect(place?.path).toBe(path);
    expect(place?.launcher?.program).toBe('systemd-run');
    const args = place?.launcher?.args ?? [];
    const unit = /^--unit=unnest-worker-[0-9a-f]{8}\.scope$/;
    expect(args.filter((word) => !unit.test(word))).toEqual([
      '--scope',
      '--quiet',
      '--collect',
      '--no-ask-password',
      `--slice=unnest-${name}.slice`,
      `--description=unnest: reads the documents of ${partition}`,
      '--property=MemoryMin=33554432',
      '--property=CPUWeight=400',
      '--',
    ]);
    expect(args.filter((word) => unit.test(word))).toHaveLength(1);
    const next = await find();
    expect(next?.launcher?.args).not.toEqual(args);
  });

  test('what looks into images has one of another name, and weighs as much as a guest', async () => {
    withSystemd();
    const args = (await find(localImagePlaces))?.launcher?.args ?? [];
    expect(args.filter((word) => word.startsWith('--unit=unnest-images-'))).toHaveLength(1);
    expect(args).toContain(`--slice=unnest-${name}.slice`);
    expect(args).toContain(`--description=unnest: looks into the images of ${partition}`);
    expect(args).toContain('--property=CPUWeight=100');
  });

  test('it is believed only when the kernel shows it', async () => {
    withSystemd();
    const place = await find();
    const unit = place?.launcher?.args.find((word) => word.startsWith('--unit='))?.slice(7);
    thread(42, 'system.slice/unnestd.service');
    const entered = place?.enter(42, never);
    let isIn = false;
    void entered?.then(() => (isIn = true));
    await new Promise((done) => setTimeout(done, 30));
    expect(isIn).toBe(false);
    thread(42, `${slice}/${unit}`);
    await entered;
  });

  test('who waits for it gives up with the process', async () => {
    withSystemd();
    const place = await find();
    await expect(place?.enter(42, AbortSignal.abort())).rejects.toMatchObject({ code: 'Refused' });
  });
});

describe('without systemd', () => {
  const worker = `${folder}/worker`;

  test('it is a group below the slice, with a little of its own', async () => {
    without();
    for (const file of ['memory.min', 'cpu.weight']) put(`cgroup/${worker}/${file}`, '');
    thread(42, worker);
    const place = await find();
    expect(place?.launcher).toBeNull();
    await place?.enter(42, never);
    const read = (file: string) => readFileSync(join(machine, `cgroup/${worker}/${file}`), 'utf8');
    expect(['memory.min', 'cpu.weight', 'cgroup.procs'].map(read)).toEqual([
      '33554432',
      '400',
      '42',
    ]);
  });

  test('what looks into images is in a group beside the worker', async () => {
    without();
    const images = `${folder}/images`;
    put(`cgroup/${images}/cpu.weight`, '');
    thread(42, images);
    await (await find(localImagePlaces))?.enter(42, never);
    const read = (file: string) => readFileSync(join(machine, `cgroup/${images}/${file}`), 'utf8');
    expect(['cpu.weight', 'cgroup.procs'].map(read)).toEqual(['100', '42']);
  });

  test('it is believed of each process only when the kernel shows it', async () => {
    without();
    thread(42, worker);
    thread(43, 'elsewhere');
    put('proc/42/task/42/children', '43 ');
    const place = await find();
    const message = `the kernel does not show it in /${worker}`;
    await expect(place?.enter(42, never)).rejects.toMatchObject({ code: 'Refused', message });
  });

  test('a kernel that does not tell who was started is not trusted', async () => {
    without();
    thread(42, worker);
    rmSync(join(machine, 'proc/42/task/42/children'));
    const place = await find();
    await expect(place?.enter(42, never)).rejects.toMatchObject({ code: 'Unsupported' });
  });

  test('nobody is gone before the kernel counts nobody', async () => {
    without();
    const place = await find();
    put(`cgroup/${worker}/cgroup.events`, 'populated 1\n');
    let isLeft = false;
    const left = place?.left().then(() => (isLeft = true));
    await new Promise((done) => setTimeout(done, 30));
    expect(isLeft).toBe(false);
    put(`cgroup/${worker}/cgroup.events`, 'populated 0\n');
    await left;
  });
});
