/**
 * The sandbox in which images are looked into: what a `qemu-img` that an image has taken over could do,
 * which a Node in its place tries, and where it runs.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageSandbox, type ImageTask } from '../../../src/host/local/image-sandbox.ts';
import { localImages } from '../../../src/host/local/images.ts';
import { localInstallation, newInstallationId } from '../../../src/host/local/installation.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { sandboxedQemuImg } from '../../../src/host/local/qemu-img.ts';
import { localSlices, machineSlices } from '../../../src/host/local/slices.ts';
import { localVolumes } from '../../../src/host/local/volumes.ts';
import { localImagePlaces } from '../../../src/host/local/worker-places.ts';
import { systemFolders } from '../../../src/host/sandbox/programs.ts';
import { noWorkerPlaces, type WorkerPlaces } from '../../../src/host/worker-places.ts';
import { slicePath } from '../../../src/model/identity.ts';
import type { FileName, ImageName, VolumeName } from '../../../src/model/names.ts';
import type { Image, Volume } from '../../../src/model/volume.ts';
import { qemuImg, soundQcow2 } from '../../support/hostile-images.ts';
import { digestOf } from '../../support/digest.ts';
import { partition } from '../../support/passes.ts';
import { until } from '../../support/until.ts';
import { unlimited } from '../../support/unlimited-slice.ts';

const MiB = 2 ** 20;
const never = new AbortController().signal;
let dir: string;
/** Where a Node is called qemu-img. */
let taken: string;
/** A file that can be read, and one that can be written. */
let image: string;
let output: string;

beforeAll(() => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  expect(process.getuid?.()).toBe(0);
  dir = mkdtempSync(join(tmpdir(), 'unnest-image-sandbox-'));
  chmodSync(dir, 0o755);
  taken = join(dir, 'taken');
  mkdirSync(taken);
  for (const each of ['bwrap', 'choom', 'prlimit', 'setpriv']) {
    symlinkSync(join('/usr/bin', each), join(taken, each));
  }
  copyFileSync(process.execPath, join(taken, 'qemu-img'));
  image = join(dir, 'image');
  writeFileSync(image, 'what a guest has written', { mode: 0o444 });
  output = join(dir, 'output');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const patient = { timeLimitMs: 60_000, cpuSeconds: 30 };

/** @param code says what it has found by returning it */
async function find(
  code: string,
  task: Partial<ImageTask> = {},
  places: WorkerPlaces = noWorkerPlaces,
): Promise<unknown> {
  writeFileSync(output, '', { mode: 0o600 });
  const script = `
    const fs = require('node:fs');
    const attempt = (act) => { try { return act(); } catch (error) { return error.code ?? error.message; } };
    (async () => fs.writeSync(1, JSON.stringify((await (async () => { ${code} })()) ?? null)))();`;
  const args = ['-e', script];
  const both = { image, output: { path: output, bytesMax: MiB } };
  const sandbox = imageSandbox(partition, places, [taken]);
  return JSON.parse(
    await sandbox.run({ tool: 'qemu-img', args, ...both, ...patient, ...task }, never),
  );
}

/** Code that does nothing until something stands in its file, as `tell` sees to. */
const waitsToBeTold = `
  while (fs.statSync('/output').size === 0) await new Promise((done) => setTimeout(done, 20));`;
const tell = () => writeFileSync(output, 'go on');

/** The process id of the tool, which is in its sandbox then. */
const itRuns = () => until('it runs', () => toolsBelow(process.pid)[0] ?? 0);

describe('a qemu-img that was taken over', () => {
  test('sees the image, one file to write, and libraries', async () => {
    const found = await find(
      `return fs.readdirSync('/').filter((name) => !name.startsWith('lib'));`,
    );
    expect(found).toEqual(['dev', 'image', 'output', 'prlimit', 'qemu-img', 'usr']);
    expect(await find(`return fs.readdirSync('/dev');`)).toEqual(['null']);
    expect(await find(`return fs.readFileSync('/image', 'latin1');`)).toBe(
      'what a guest has written',
    );
  });

  test('reads no file of the host', async () => {
    const state = join(dir, 'state');
    writeFileSync(state, 'secret', { mode: 0o666 });
    const paths = ['/etc/shadow', '/etc/passwd', '/proc/1/environ', '/dev/kvm', '/run', state, dir];
    const found = await find(
      `return ${JSON.stringify(paths)}.map((path) => attempt(() => fs.statSync(path).size));`,
    );
    expect(found).toEqual(paths.map(() => 'ENOENT'));
  });

  test('writes to its one file, as much as it may, and to nothing else', async () => {
    const paths = ['/image', '/x', '/dev/x', '/qemu-img', '/usr/lib/x', '/lib/x'];
    const found = (await find(`
      fs.writeFileSync('/output', 'written');
      return ${JSON.stringify(paths)}.map((path) => attempt(() => fs.writeFileSync(path, 'x')) ?? 'written');`)) as string[];
    expect(found).toHaveLength(paths.length);
    expect(found.filter((each) => !['EROFS', 'EACCES', 'ETXTBSY', 'ENOENT'].includes(each))).toEqual([]);
    expect(readFileSync(output, 'latin1')).toBe('written');
    expect(readFileSync(image, 'latin1')).toBe('what a guest has written');
    const { uid, gid, mode } = statSync(output);
    expect([uid, gid, mode & 0o777]).toEqual([0, 0, 0o600]);
  }); // prettier-ignore

  test('does not write to a disk that it is given to read for a while, though it is nobody’s own', async () => {
    const disk = join(dir, 'disk');
    writeFileSync(disk, 'what a guest has written', { mode: 0o600 });
    const paths = ['writeFileSync', 'chmodSync', 'truncateSync', 'chownSync'];
    const found = await find(
      `return [fs.statSync('/image').uid, ...${JSON.stringify(paths)}.map((act) =>
        attempt(() => fs[act]('/image', ...(act === 'chownSync' ? [0, 0] : act === 'chmodSync' ? [0o666] : ['']))) ?? 'done')];`,
      { image: disk, isPrivate: true },
    );
    expect(found).toEqual([65_534, 'EROFS', 'ENOSYS', 'EROFS', 'ENOSYS']);
    expect(readFileSync(disk, 'latin1')).toBe('what a guest has written');
    const { uid, gid, mode } = statSync(disk);
    expect([uid, gid, mode & 0o777]).toEqual([0, 0, 0o600]);
  }); // prettier-ignore

  test('fills nothing: its file ends where it is to', async () => {
    const filling = find(`
      process.on('SIGXFSZ', () => undefined);
      const file = fs.openSync('/output', 'r+');
      const chunk = Buffer.alloc(65536, 1);
      return attempt(() => { for (let i = 0; i < 1000; i++) fs.writeSync(file, chunk); });`);
    expect(await filling).toBe('EFBIG');
    expect(statSync(output).size).toBe(MiB);
  });

  test('without a file to write has none', async () => {
    const { output: _none, ...reading } = { output: undefined, image };
    const args = ['-e', `console.log(require('node:fs').existsSync('/output'))`];
    const sandbox = imageSandbox(partition, noWorkerPlaces, [taken]);
    expect(await sandbox.run({ tool: 'qemu-img', args, ...reading, ...patient }, never)).toBe(
      'false\n',
    );
  });

  test('connects to nothing, and runs no program', async () => {
    const abstract = `\0unnest-test-${process.pid}`;
    const server = createServer().listen({ path: abstract });
    await once(server, 'listening');
    const found = await find(`
      const net = require('node:net');
      const { spawnSync } = require('node:child_process');
      const connect = (to) => new Promise((done) => net.connect(to, () => done('in')).on('error', (e) => done(e.code)));
      return [
        await connect({ path: ${JSON.stringify(abstract)} }),
        await connect({ host: '127.0.0.1', port: 1 }),
        attempt(() => { throw spawnSync('/qemu-img', ['-e', '0']).error; }),
        process.getuid(), process.getgroups(), Object.keys(process.env),
      ];`);
    server.close();
    expect(found).toEqual(['ENOSYS', 'ENOSYS', 'ENOSYS', 65_534, [65_534], ['PWD']]);
  }); // prettier-ignore

  test('is what it is to the kernel, too', async () => {
    const running = find(waitsToBeTold);
    const pid = await itRuns();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8').replaceAll(/ +/g, ' ');
    const shared = ['net', 'pid', 'ipc', 'user', 'mnt', 'uts', 'cgroup'].filter(
      (each) => readlinkSync(`/proc/${pid}/ns/${each}`) === readlinkSync(`/proc/self/ns/${each}`),
    );
    tell();
    await running;
    expect(shared).toEqual([]);
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^CapBnd:\t0{16}$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(limits).toContain('Max cpu time 30 31');
    expect(limits).toContain(`Max file size ${MiB} ${MiB}`);
    expect(limits).toContain(`Max data size ${512 * MiB} ${512 * MiB}`);
    expect(limits).toContain('Max processes 80 80');
    expect(limits).toContain('Max open files 64 64');
    expect(limits).toContain('Max core file size 0 0');
  });

  test('that computes for too long is ended, and so is one that only waits', async () => {
    const burning = find(`for (;;);`, { cpuSeconds: 1 });
    await expect(burning).rejects.toMatchObject({ code: 'Refused', context: { limit: 'time' } });
    const waiting = find(`await new Promise((done) => setTimeout(done, 1e6));`, { timeLimitMs: 500 });
    await expect(waiting).rejects.toMatchObject({ context: { limit: 'time' } });
    expect(toolsBelow(process.pid)).toEqual([]);
  }); // prettier-ignore

  test('that eats memory ends, and so does one that says too much', async () => {
    const eating = find(`const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1));`);
    await expect(eating).rejects.toMatchObject({ context: { limit: 'memory' } });
    const talking = find(`for (;;) fs.writeSync(1, 'x'.repeat(1000));`);
    await expect(talking).rejects.toMatchObject({ context: { limit: 'output' } });
  });

  test('has the stacks of all threads in half of its memory at most', async () => {
    // Node calls that of data kilobytes, and means bytes.
    const [stack, data] = (await find(`
      process.report.excludeNetwork = true;
      const { stack_size_bytes, data_seg_size_kbytes } = process.report.getReport().userLimits;
      return [stack_size_bytes.soft, data_seg_size_kbytes.soft];`)) as [number, number];
    expect(data).toBe(512 * MiB);
    // As many as QEMU's pool goes up to where a disk is slow (THREAD_POOL_MAX_THREADS_DEFAULT).
    expect(64 * stack).toBeLessThanOrEqual(data / 2);
  });

  test('is ended when its import is given up', async () => {
    const over = new AbortController();
    const sandbox = imageSandbox(partition, noWorkerPlaces, [taken]);
    const args = ['-e', 'setInterval(() => undefined, 1000)'];
    const running = sandbox.run({ tool: 'qemu-img', args, image, ...patient }, over.signal);
    const givingUp = itRuns().then(() => over.abort());
    await expect(running).rejects.toMatchObject({ code: 'Cancelled' });
    await givingUp;
    expect(toolsBelow(process.pid)).toEqual([]);
  });
});

/** Every program in an image's sandbox that this process has started. */
function toolsBelow(ancestor: number): readonly number[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parentOf = (pid: number) => Number(/^PPid:\t(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1]);
  const isBelow = (pid: number): boolean => pid === ancestor || (pid > 1 && isBelow(parentOf(pid)));
  return pids.filter((pid) => read(`/proc/${pid}/cmdline`).startsWith('/qemu-img\0') && isBelow(pid));
} // prettier-ignore

describe('without a sandbox', () => {
  const name = 'base' as ImageName;
  /** A partition with a sound image, where a qemu-img says so if it is ever run. */
  const place = (folder: string, programs: readonly string[]) => {
    const at = join(dir, folder);
    const layout = storeLayout(at, partition);
    mkdirSync(layout.filesDir, { recursive: true });
    const bin = join(at, 'bin');
    mkdirSync(bin);
    for (const each of programs) symlinkSync(join('/usr/bin', each), join(bin, each));
    const ran = join(at, 'ran');
    writeFileSync(join(bin, 'qemu-img'), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    const file = layout.file('base.img');
    soundQcow2(file);
    const digest = digestOf(readFileSync(file));
    const source = { kind: 'file', file: 'base.img' as FileName } as const;
    const common = { name, format: 'qcow2', source } as const;
    const wanted: Image = { ...common, digest, virtualBytesMax: null };
    const tools = sandboxedQemuImg(noWorkerPlaces, [bin]);
    const importing = () => localImages(at, tools).import(owner, wanted, never);
    return { at, layout, bin, ran, importing, tools };
  };
  const owner = { installation: newInstallationId(), partition };

  test.each([
    ['bwrap', /there is no bwrap on this machine: apt-get install bubblewrap/],
    ['setpriv', /apt-get install util-linux/],
    ['prlimit', /apt-get install util-linux/],
  ])('for want of %s nothing is imported, and that is said', async (missing, words) => {
    const all = ['bwrap', 'choom', 'prlimit', 'setpriv'];
    const { importing, layout, ran } = place(`no-${missing}`, all.filter((each) => each !== missing));
    const failing = importing();
    await expect(failing).rejects.toMatchObject({ code: 'Unsupported' });
    await expect(failing).rejects.toThrow(words);
    expect(existsSync(ran)).toBe(false);
    expect(readdirSync(layout.imagesDir)).toEqual([]);
  }); // prettier-ignore

  test('that can be made nothing is imported', async () => {
    const { importing, bin, ran } = place('broken', ['choom', 'prlimit', 'setpriv']);
    const script = '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2; exit 1\n';
    writeFileSync(join(bin, 'bwrap'), script, { mode: 0o755 });
    await expect(importing()).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('make user namespaces'),
    });
    expect(existsSync(ran)).toBe(false);
  });

  test('that gets to the image nothing is imported', async () => {
    const { importing, at } = place('closed', ['bwrap', 'choom', 'prlimit', 'setpriv']);
    chmodSync(at, 0o700);
    await expect(importing()).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('everybody has to get through the folders above it'),
    });
  });

  test('no qcow2 grows, and it stays as it was', async () => {
    const { at, layout, tools, ran } = place('growing', []);
    const volume: Volume = {
      name: 'data' as VolumeName,
      sizeBytes: 8 * MiB,
      format: 'qcow2',
      origin: null,
      copyOf: null,
      deletionPolicy: 'Retain',
    };
    const volumes = localVolumes(at, { qemuImgFor: tools });
    await volumes.create(owner, volume, never);
    const path = layout.volumeDisk(volume.name, 'qcow2');
    const before = readFileSync(path);
    const growing = volumes.grow(owner, volume.name, 16 * MiB, never);
    await expect(growing).rejects.toMatchObject({ code: 'Unsupported' });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(ran)).toBe(false);
  });
});

describe('in the slice of its partition', () => {
  const installation = newInstallationId();
  const ref = { path: slicePath({ installation, partition }) };
  let root: string;
  let places: typeof machineSlices;
  beforeAll(async () => {
    root = join(dir, 'cgroup');
    mkdirSync(root);
    places = { ...machineSlices, root, systemd: '/nonexistent' };
    execFileSync('mount', ['--no-mtab', '-t', 'cgroup2', 'cgroup2', root]);
    await localInstallation(dir).record(installation);
    await localSlices(dir, places).apply(ref, unlimited, never);
  });
  afterAll(() => {
    try {
      rmdirSync(join(root, 'unnest.partition'));
    } catch {
      // Others have slices of their own there.
    }
    execFileSync('umount', [root]);
  });

  test('it runs from its first moment on, and leaves nobody there', async () => {
    const running = find(waitsToBeTold, {}, localImagePlaces(dir, places));
    const pid = await itRuns();
    const group = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    tell();
    await running;
    expect(group).toBe(`/unnest.partition/${ref.path.split('/').at(-1)}.partition/images`);
    await until(
      'nobody is left there',
      () => readFileSync(join(root, group ?? '', 'cgroup.events'), 'utf8'),
      (events) => events.includes('populated 0\n'),
    );
    await localSlices(dir, places).remove(ref, never);
    expect(existsSync(join(root, group ?? ''))).toBe(false);
  });

  test('or not at all', async () => {
    const elsewhere: WorkerPlaces = {
      find: async () => ({
        path: ref.path,
        launcher: null,
        // After a time in which it would have begun, and in which its sandbox waits for the filter.
        enter: async () => {
          await sleep(500);
          throw new Error('as the test says');
        },
        left: async () => undefined,
      }),
    };
    const running = find(`fs.writeFileSync('/output', 'it begins');`, {}, elsewhere);
    await expect(running).rejects.toMatchObject({
      code: 'Refused',
      cause: { message: expect.stringContaining('as the test says') },
    });
    expect(readFileSync(output, 'latin1')).toBe('');
  });
});

test('a qcow2 that takes more room than it may is given up', async () => {
  const path = join(dir, 'large.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', path, '64M');
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 7 0 32M', path]);
  chmodSync(path, 0o444);
  writeFileSync(output, '', { mode: 0o600 });
  const flattening = sandboxedQemuImg(
    noWorkerPlaces,
    systemFolders,
  )(partition).flatten(path, output, 8 * MiB, never);
  await expect(flattening).rejects.toMatchObject({ code: 'Refused', context: { limit: 'room' } });
  expect(statSync(output).size).toBeLessThanOrEqual(8 * MiB);
});
