/**
 * What `qemu-img` is asked for. Whatever it reads that somebody else may have written, it reads in a
 * sandbox, by a name of ours, with every format said and nothing below it: it never gets to guess, and
 * never to see an image whose header our own parser has not let through.
 */
import { stat } from 'node:fs/promises';
import * as z from 'zod';
import type { PartitionName } from '../../model/names.ts';
import type { DiskFormat } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import type { WorkerPlaces } from '../worker-places.ts';
import { IMAGE, imageSandbox, OUTPUT } from './image-sandbox.ts';
import { runProgram } from './run-program.ts';

/** Empty tables are written in no time; a disk that hangs is not to hold up everything. */
const timeLimitMs = 60_000;
/** All tables of a large image are read. */
const checkMsMax = 600_000;
/** Of what is as slow as a disk. */
const flattenMsMax = 3_600_000;

export interface QemuImg {
  /** @param isPrivate nobody else may read it: it is lent for as long as that takes */
  info(image: string, signal: AbortSignal, isPrivate?: boolean): Promise<ImageInfo>;
  /** @param isPrivate as of `info` */
  check(image: string, signal: AbortSignal, isPrivate?: boolean): Promise<ImageCheck>;
  /** @param to an empty file, which becomes a qcow2 of `bytesMax` bytes at most */
  flatten(image: string, to: string, bytesMax: number, signal: AbortSignal): Promise<void>;
  resize(disk: string, sizeBytes: number, signal: AbortSignal): Promise<void>;
}

export type QemuImgFor = (partition: PartitionName) => QemuImg;

const imageInfo = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'cluster-size': z.number().optional(),
  'dirty-flag': z.boolean().optional(),
  encrypted: z.boolean().optional(),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  snapshots: z.array(z.unknown()).optional(),
  'format-specific': z
    .object({
      type: z.string(),
      data: z.object({
        compat: z.string(),
        'compression-type': z.string().optional(),
        'refcount-bits': z.number().optional(),
        corrupt: z.boolean().optional(),
        'extended-l2': z.boolean().optional(),
        'data-file': z.string().optional(),
        bitmaps: z.array(z.unknown()).optional(),
        encrypt: z.unknown().optional(),
      }),
    })
    .optional(),
});
export type ImageInfo = z.output<typeof imageInfo>;

const imageCheck = z.object({
  format: z.literal('qcow2'),
  'check-errors': z.number(),
  corruptions: z.number().default(0),
  /** Clusters that nothing refers to. */
  leaks: z.number().default(0),
});
export type ImageCheck = z.output<typeof imageCheck>;

/** What a qcow2 is called by within, so that nothing of it decides how it is read, or what is below it. */
const named = (filename: string): string =>
  `json:${JSON.stringify({ driver: 'qcow2', backing: null, file: { driver: 'file', filename } })}`;

/** It says 2 of one that is corrupt and 3 of one with leaks, and what it has found in both cases. */
const checkExitCodes = [0, 2, 3];

/** How much larger the tables of a disk become that grows: an L1 table has 32 MiB at most. */
const growthBytesMax = 64 * 2 ** 20;

export function sandboxedQemuImg(places: WorkerPlaces, folders?: readonly string[]): QemuImgFor {
  return (partition) => {
    const sandbox = imageSandbox(partition, places, folders);
    const tool = 'qemu-img';
    const quick = { timeLimitMs, cpuSeconds: 30 };
    return {
      info: async (image, signal, isPrivate = false) => {
        const args = ['info', '--output=json', named(IMAGE)];
        const answer = await sandbox.run({ tool, args, image, isPrivate, ...quick }, signal);
        return said('qemu-img info', imageInfo, answer);
      },
      check: async (image, signal, isPrivate = false) => {
        const args = ['check', '--output=json', named(IMAGE)];
        const limits = { timeLimitMs: checkMsMax, cpuSeconds: 120, exitCodes: checkExitCodes };
        const answer = await sandbox.run({ tool, args, image, isPrivate, ...limits }, signal);
        return said('qemu-img check', imageCheck, answer);
      },
      flatten: async (image, path, bytesMax, signal) => {
        // In any order (-W): several times as fast, and next to in order all the same.
        const args = ['convert', '-q', '-W', '-O', 'qcow2', '-o', newOptions, named(IMAGE), OUTPUT];
        const limits = { timeLimitMs: flattenMsMax, cpuSeconds: 1800 };
        await sandbox.run({ tool, args, image, output: { path, bytesMax }, ...limits }, signal);
      },
      resize: async (path, sizeBytes, signal) => {
        const args = ['resize', '-q', named(OUTPUT), `${sizeBytes}`];
        const { size } = await stat(path);
        const output = { path, bytesMax: size + growthBytesMax };
        await sandbox.run({ tool, args, output, ...quick }, signal);
      },
    };
  };
}

const newOptions = 'compat=1.1,lazy_refcounts=off';

/** Reads nothing: what it is to lie on is written down and not opened. @param path of an empty file */
export async function makeQcow2(
  path: string,
  sizeBytes: number,
  backing: { readonly path: string; readonly format: DiskFormat } | null,
  signal: AbortSignal,
): Promise<void> {
  const below = backing === null ? [] : ['-u', '-b', backing.path, '-F', backing.format];
  const args = ['create', '-q', '-f', 'qcow2', '-o', newOptions, ...below, path, `${sizeBytes}`];
  const remedy = 'install qemu-utils';
  const limits = { timeLimitMs, outputBytesMax: 65_536 };
  await runProgram({ command: 'qemu-img', args, remedy, ...limits, signal });
}

function said<T>(what: string, schema: z.ZodType<T>, answer: string): T {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch (cause) {
    throw new HostError('Protocol', `${what} did not answer in JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HostError('Protocol', `${what} answered what is not understood`, {
    cause: parsed.error,
  });
}
