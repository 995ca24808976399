/**
 * The sandbox in which tools read images and file systems that a guest may have written: the tool, its
 * libraries, what it reads, read-only, and one file that it may write, or none. It is begun where the
 * partition pays for it. If it cannot be made nothing is done, and that is said: there is no way without it.
 *
 * The tool is nobody, so what it reads has to be readable to all, or is given to nobody for as long as it
 * runs, as its one file is.
 */
import { realpathSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { PartitionName } from '../../model/names.ts';
import { HostError } from '../host-error.ts';
import { NOBODY, readOnly, type Sandbox, sandboxCommand } from '../sandbox/command.ts';
import {
  isSandboxComplaint,
  launcherIn,
  programIn,
  sandboxProgramsIn,
  systemFolders,
} from '../sandbox/programs.ts';
import { letBegin } from '../sandbox/start.ts';
import { filterFor } from '../sandbox/syscall-filter.ts';
import { imageToolCalls } from '../sandbox/syscalls.ts';
import type { WorkerPlaces } from '../worker-places.ts';
import { runProgram } from './run-program.ts';

/** What a tool is called within. */
export const IMAGE = '/image';
export const OUTPUT = '/output';

const packages = {
  'qemu-img': 'qemu-utils',
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  resize2fs: 'e2fsprogs',
} as const;
export type ImageTool = keyof typeof packages;

export interface ImageTask {
  readonly tool: ImageTool;
  readonly args: readonly string[];
  /** What is to be read, if it is not the one to be written. */
  readonly image?: string;
  /** Whether nobody else may read that. */
  readonly isPrivate?: boolean;
  /** The one that is written, which is there already, and how long it may become. */
  readonly output?: { readonly path: string; readonly bytesMax: number };
  readonly timeLimitMs: number;
  readonly cpuSeconds: number;
  readonly exitCodes?: readonly number[];
}

export interface ImageSandbox {
  /** @returns what the tool has written to standard output. @throws HostError */
  run(task: ImageTask, signal: AbortSignal): Promise<string>;
}

/** What QEMU takes for its caches, its threads and one request for each of them. */
const dataBytesMax = 512 * 2 ** 20;
/** Also of each thread: what the kernel lets stacks have by itself, 8 MiB, would be all that there is for 64 of them. */
const stackBytesMax = 2 * 2 ** 20;
const openFilesMax = 64;
/** qemu-img has some twenty; its pool goes up to 64. */
const tasksMax = 80;
/** What it says of an image is one small object. */
const outputBytesMax = 65_536;

/** @param folders where programs are looked for, in this order */
export function imageSandbox(
  partition: PartitionName,
  places: WorkerPlaces,
  folders: readonly string[] = systemFolders,
): ImageSandbox {
  return {
    run: async (task, signal) => {
      const place = await places.find(partition, signal);
      const programs = sandboxProgramsIn(folders);
      if ('problem' in programs) throw unavailable(programs.problem);
      const { tool } = task;
      const program = programIn(folders, tool);
      if (program === undefined) {
        const remedy = `apt-get install ${packages[tool]}`;
        throw unavailable(`there is no ${tool} on this machine: ${remedy}`);
      }
      const launcher = launcherIn(folders, place);
      if ('problem' in launcher) throw unavailable(launcher.problem);
      const filter = filterFor(process.arch, imageToolCalls);
      if ('problem' in filter) throw unavailable(filter.problem);
      const sandbox = sandboxFor(task, realpathSync(program));
      const [command = '', ...args] = sandboxCommand(programs, sandbox, launcher.words);
      const run = () =>
        runProgram({
          command,
          args,
          title: tool === 'qemu-img' ? `${tool} ${task.args[0]}` : tool,
          remedy: 'apt-get install bubblewrap util-linux',
          timeLimitMs: task.timeLimitMs,
          outputBytesMax,
          exitCodes: task.exitCodes ?? [0],
          begin: (child, over) => letBegin(child, place, filter.bytes, over),
          signal,
        });
      try {
        return await lent(ownPaths(task), run);
      } catch (error) {
        throw explained(tool, error);
      }
    },
  };
}

function sandboxFor(
  { tool, args, image, output, cpuSeconds }: ImageTask,
  program: string,
): Sandbox {
  return {
    files: [
      ...readOnly(program, `/${tool}`),
      // By it QEMU finds out how files are locked.
      ...nothingAt('/dev/null'),
      // By that it sees that nothing is mounted, which it insists on.
      ...(tool === 'resize2fs' ? nothingAt('/etc/mtab') : []),
      ...(image === undefined ? [] : readOnly(image, IMAGE)),
      ...(output === undefined ? [] : ['--bind', output.path, OUTPUT]),
    ],
    limits: {
      cpuSeconds,
      dataBytesMax,
      stackBytesMax,
      openFilesMax,
      tasksMax,
      fileBytesMax: output?.bytesMax ?? 0,
    },
    command: [`/${tool}`, ...args],
  };
}

const nothingAt = (path: string): readonly string[] => ['--dev-bind', '/dev/null', path];

/** What only we can open. */
function ownPaths({ image, isPrivate = false, output }: ImageTask): readonly string[] {
  const read = isPrivate && image !== undefined ? [image] : [];
  return output === undefined ? read : [...read, output.path];
}

/** Gives files to nobody meanwhile. Who is not root is nobody in the sandbox. */
async function lent<T>([path, ...more]: readonly string[], run: () => Promise<T>): Promise<T> {
  if (path === undefined || process.getuid?.() !== 0) return run();
  const file = await open(path, 'r+');
  try {
    const { uid, gid } = await file.stat();
    await file.chown(NOBODY, NOBODY);
    try {
      return await lent(more, run);
    } finally {
      // Of one that a crash has left there, too.
      const wasLent = uid === NOBODY;
      await file.chown(wasLent ? 0 : uid, wasLent ? 0 : gid);
    }
  } finally {
    await file.close();
  }
}

/** As bubblewrap passes on by which signal a program has ended. */
const signalled = 128;
const [SIGKILL, SIGXCPU, SIGXFSZ] = [9, 24, 25];

function explained(tool: ImageTool, error: unknown): unknown {
  if (!(error instanceof HostError)) return error;
  const { cause, context } = error;
  const words = cause instanceof Error ? cause.message : '';
  if (isSandboxComplaint(words)) return unavailable(`${words}${hint(words)}`);
  const exitCode = Number(context['exitCode'] ?? 0);
  if (exitCode === signalled + SIGKILL) {
    const message = `${tool} was killed: the memory of its slice may be used up`;
    return new HostError('Unreachable', message, { cause });
  }
  const limit = limitBehind(exitCode, words);
  if (limit === null) return error;
  const message = `${tool} took more ${limit} than it may`;
  return new HostError('Refused', message, { cause, context: { limit } });
}

/** It has no signal of its own for most of them. */
function limitBehind(exitCode: number, words: string): string | null {
  if (exitCode === signalled + SIGXCPU) return 'time';
  if (exitCode === signalled + SIGXFSZ || /File too large/.test(words)) return 'room';
  return exitCode > signalled || /Cannot allocate memory/.test(words) ? 'memory' : null;
}

function hint(complaint: string): string {
  if (/source path .*: Permission denied/.test(complaint)) {
    return ' (everybody has to get through the folders above it, as QEMU has to)';
  }
  return /user namespace|No permissions/.test(complaint)
    ? ' (nobody has to be allowed to make user namespaces)'
    : '';
}

function unavailable(why: string): HostError {
  const message = `images are looked into in a sandbox and nowhere else, and there is none: ${why}`;
  return new HostError('Unsupported', message);
}
