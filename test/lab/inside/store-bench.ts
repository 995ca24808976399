/**
 * Run inside the lab's host: what a store for Volumes costs. `store-bench.mjs FOLDER` measures files there,
 * `store-bench.mjs FOLDER GROUP` the thin pool `thin` of a volume group. Prints one line of JSON (`StoreFigures`).
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, open, writeFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { localImages } from '../../../src/host/local/images.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { localVolumes } from '../../../src/host/local/volumes.ts';
import type { FileName, ImageName, VolumeName } from '../../../src/model/names.ts';
import { devicePath, logicalVolumeName } from '../../../src/model/thin-pool.ts';
import type { Volume, VolumeOrigin } from '../../../src/model/volume.ts';
import { installation, partition } from '../../support/passes.ts';

/** Of one store: medians in milliseconds, and how much of it was taken in MiB for each Volume. */
export interface StoreFigures {
  readonly ms: Readonly<
    Record<'create' | 'ofImage' | 'firstWrite' | 'copy' | 'writeToCopy' | 'remove', number>
  >;
  readonly spaceMiB: Readonly<Record<'written' | 'ofImage' | 'copied' | 'overwritten', number>>;
}

const [folder = '', group] = process.argv.slice(2);
const MiB = 2 ** 20;
const imageMiB = 64;
const never = new AbortController().signal;
const us = { installation, partition };
const thinPool = group === undefined ? null : { group, pool: 'thin' };
const volumes = localVolumes(folder, { thinPool });
const layout = storeLayout(folder, partition);
// What lies in it is read by a user of the sandbox's own.
await chmod(folder, 0o755);
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

/** The median of so many times. */
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
  const block = randomBytes(bytes);
  for (const at of places) await disk.write(block, 0, bytes, at);
  await disk.sync();
  await disk.close();
}

/** How much of the file system, or of the pool, is taken. */
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

/** What a guest's start does, which is not measured here. */
function activated(name: string): void {
  if (group === undefined) return;
  const of = `${group}/${logicalVolumeName(partition, name as VolumeName)}`;
  execFileSync('lvm', ['lvchange', '--activate', 'y', '--ignoreactivationskip', of]);
}

async function imported(): Promise<VolumeOrigin> {
  const bytes = randomBytes(imageMiB * MiB);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await writeFile(layout.file('base'), bytes);
  const name = 'base' as ImageName;
  const source = { kind: 'file', file: 'base' as FileName } as const;
  const image = { name, source, format: 'raw', digest, virtualBytesMax: null } as const;
  await localImages(folder).import(us, image, never);
  return { image: name, digest, format: 'raw', provision: 'Copy' };
}

const origin = await imported();
const turns = [0, 1, 2];
const inOrder = Array.from({ length: imageMiB }, (_, index) => index * MiB);
const scattered = Array.from({ length: 512 }, (_, index) => ((index * 7919) % 16_384) * 4096);
const taken = [takenBytes()];

const create = await timed(3, (turn) => volumes.create(us, volume(`b-${turn}`), never));
const firstWrite = await timed(3, (turn) => write(`b-${turn}`, MiB, inOrder));
taken.push(takenBytes());
const ofImage = await timed(3, (turn) =>
  volumes.create(us, volume(`i-${turn}`, { origin }), never),
);
taken.push(takenBytes());
const copy = await timed(3, (turn) =>
  volumes.create(us, volume(`c-${turn}`, { copyOf: `b-${turn}` as VolumeName }), never),
);
taken.push(takenBytes());
for (const turn of turns) activated(`c-${turn}`);
const writeToCopy = await timed(3, (turn) => write(`c-${turn}`, 4096, scattered));
taken.push(takenBytes());
const names = ['b', 'i', 'c'].flatMap((kind) => turns.map((turn) => `${kind}-${turn}`));
const remove = await timed(9, (turn) => volumes.delete(us, names[turn] as VolumeName, never));

const [written = 0, ofImageMiB = 0, copied = 0, overwritten = 0] = taken
  .slice(1)
  .map((now, index) => Math.round(((now - (taken[index] ?? 0)) / MiB / turns.length) * 10) / 10);
const figures: StoreFigures = {
  ms: { create, ofImage, firstWrite, copy, writeToCopy, remove },
  spaceMiB: { written, ofImage: ofImageMiB, copied, overwritten },
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit();
