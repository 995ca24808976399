/**
 * Run inside the lab's host: what a store for Volumes costs. `store-bench.mjs FOLDER` measures files there,
 * `store-bench.mjs FOLDER GROUP` the thin pool `thin` of a volume group. Prints one line of JSON.
 *
 * By hand, as its figures depend on what the lab's disks are on: `npm run lab -- keep` first. The table of README has
 * what it said.
 */
import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { localVolumes } from '../../../src/host/local/volumes.ts';
import type { VolumeName } from '../../../src/model/names.ts';
import { devicePath, logicalVolumeName } from '../../../src/model/thin-pool.ts';
import type { Volume } from '../../../src/model/volume.ts';
import { installation, partition } from '../../support/passes.ts';

const [folder = '', group] = process.argv.slice(2);
const MiB = 2 ** 20;
const never = new AbortController().signal;
const us = { installation, partition };
const thinPool = group === undefined ? null : { group, pool: 'thin' };
const volumes = localVolumes(folder, { thinPool });
const layout = storeLayout(folder, partition);
await mkdir(layout.filesDir, { recursive: true });

const volume = (name: string, more: Partial<Volume> = {}): Volume => ({
  name: name as VolumeName,
  sizeBytes: 256 * MiB,
  format: 'raw',
  origin: null,
  copyOf: null,
  deletionPolicy: 'Delete',
  ...more,
});
const pathOf = (name: string) =>
  group === undefined
    ? layout.volumeDisk(name as VolumeName, 'raw')
    : devicePath(group, logicalVolumeName(partition, name as VolumeName));

/** Milliseconds, the median of so many times. */
async function timed(times: number, act: (turn: number) => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    const from = performance.now();
    await act(turn);
    took.push(performance.now() - from);
  }
  return Math.round(took.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? 0);
}

async function write(name: string, bytes: number, places: readonly number[]): Promise<void> {
  const disk = await open(pathOf(name), constants.O_WRONLY);
  const block = Buffer.alloc(bytes, name);
  for (const at of places) await disk.write(block, 0, bytes, at);
  await disk.sync();
  await disk.close();
}

/** How much more of the file system, or of the pool, is taken than before. */
function takenBytes(): number {
  execFileSync('sync');
  if (group === undefined) {
    const said = execFileSync('df', ['--output=used', '--block-size=1', folder], {
      encoding: 'utf8',
    });
    return Number(said.trim().split('\n').at(-1));
  }
  const args = ['--noheadings', '--units', 'b', '--nosuffix', '-o', 'lv_size,data_percent'];
  const said = execFileSync('lvm', ['lvs', ...args, `${group}/thin`], { encoding: 'utf8' });
  const [size = 0, percent = 0] = said.trim().split(/\s+/).map(Number);
  return (size * percent) / 100;
}

const inOrder = Array.from({ length: 64 }, (_, index) => index * MiB);
const scattered = Array.from({ length: 512 }, (_, index) => ((index * 7919) % 16_384) * 4096);
const before = takenBytes();
const create = await timed(5, (turn) => volumes.create(us, volume(`b-${turn}`), never));
const firstWrite = await timed(3, (turn) => write(`b-${turn}`, MiB, inOrder));
const written = takenBytes();
const copy = await timed(3, (turn) =>
  volumes.create(us, volume(`c-${turn}`, { copyOf: `b-${turn}` as VolumeName }), never),
);
const copied = takenBytes();
if (group !== undefined) {
  for (const turn of [0, 1, 2]) {
    const name = `${group}/${logicalVolumeName(partition, `c-${turn}` as VolumeName)}`;
    execFileSync('lvm', ['lvchange', '--activate', 'y', '--ignoreactivationskip', name]);
  }
}
const writeToCopy = await timed(3, (turn) => write(`c-${turn}`, 4096, scattered));
const overwritten = takenBytes();
const names = [...[0, 1, 2, 3, 4].map((turn) => `b-${turn}`), 'c-0', 'c-1', 'c-2'];
const remove = await timed(8, (turn) => volumes.delete(us, names[turn] as VolumeName, never));
const inMiB = (bytes: number) => Math.round((bytes / MiB) * 10) / 10;
const spaceMiB = {
  written: inMiB(written - before),
  copied: inMiB(copied - written),
  overwritten: inMiB(overwritten - copied),
};
const ms = { create, firstWrite, copy, writeToCopy, remove };
process.stdout.write(`${JSON.stringify({ ms, spaceMiB })}\n`);
process.exit();
