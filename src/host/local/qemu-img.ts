/**
 * The two things that `qemu-img` is asked for. Only about files that we made and looked into, by
 * absolute paths (a relative one could read as a protocol), and with every format said: it never
 * gets to guess, and never to see an image whose header was not checked before.
 */
import type { DiskFormat } from '../../model/volume.ts';
import { runProgram } from './run-program.ts';

/** Empty tables are written in no time; a disk that hangs is not to hold up everything. */
const timeLimitMs = 60_000;

/** @param path of an empty file */
export async function makeQcow2(
  path: string,
  sizeBytes: number,
  backing: { readonly path: string; readonly format: DiskFormat } | null,
  signal: AbortSignal,
): Promise<void> {
  const below = backing === null ? [] : ['-b', backing.path, '-F', backing.format];
  const options = ['-o', 'compat=1.1,lazy_refcounts=off'];
  await qemuImg(
    ['create', '-q', '-f', 'qcow2', ...options, ...below, path, `${sizeBytes}`],
    signal,
  );
}

export async function resizeQcow2(
  path: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await qemuImg(['resize', '-q', '-f', 'qcow2', path, `${sizeBytes}`], signal);
}

async function qemuImg(args: readonly string[], signal: AbortSignal): Promise<void> {
  const remedy = 'install qemu-utils';
  const limits = { timeLimitMs, outputBytesMax: 65_536 };
  await runProgram({ command: 'qemu-img', args, remedy, ...limits, signal });
}
