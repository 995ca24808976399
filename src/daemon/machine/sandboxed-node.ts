/** Starts programs of ours, in JavaScript, in the sandbox of `sandbox.ts`. Where bubblewrap is missing there are none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, realpathSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { sandboxCommand } from '../../host/sandbox/command.ts';
import { launcherIn, sandboxProgramsIn } from '../../host/sandbox/programs.ts';
import { filterFor } from '../../host/sandbox/syscall-filter.ts';
import { workerCalls } from '../../host/sandbox/syscalls.ts';
import type { WorkerPlace } from '../../host/worker-places.ts';
import { type NodeTask, nodeSandbox } from './sandbox.ts';

export interface ProgramInstallation {
  /** One file of JavaScript that imports nothing but Node. */
  readonly program: string;
  /** Where bubblewrap and its like are looked for, in this order. */
  readonly folders: readonly string[];
}

export interface Started {
  readonly child: ChildProcess;
  /** Without which the program does not begin: see `letBegin`. */
  readonly filter: Uint8Array;
}

/** @param connection given to it as its sixth descriptor, and to be let go of here */
export function startNode(
  { program, folders }: ProgramInstallation,
  task: NodeTask,
  place: WorkerPlace | null,
  connection: Duplex | null = null,
): Started | { readonly problem: string } {
  const programs = sandboxProgramsIn(folders);
  if ('problem' in programs) return programs;
  const launcher = launcherIn(folders, place);
  if ('problem' in launcher) return launcher;
  const filter = filterFor(process.arch, workerCalls);
  if ('problem' in filter) return filter;
  const node = realpathSync(process.execPath);
  const nodeMajor = Number.parseInt(process.versions.node, 10);
  let descriptor: number;
  try {
    // Opened by us: nobody may not be able to look where it is kept.
    descriptor = openSync(program, 'r');
  } catch (error) {
    return { problem: `${task.what}'s program cannot be read: ${messageOf(error)}` };
  }
  try {
    const sandbox = nodeSandbox({ node, nodeMajor }, task);
    const [command = '', ...args] = sandboxCommand(programs, sandbox, launcher.words);
    const child = spawn(command, args, {
      cwd: '/',
      env: {},
      shell: false,
      // A signal of the terminal is for the daemon, which then ends what it has started.
      detached: true,
      // The fourth is the program and the fifth the filter, as the sandbox expects them.
      stdio: ['pipe', 'pipe', 'pipe', descriptor, 'pipe', ...(connection ? [connection] : [])],
    });
    return { child, filter: filter.bytes };
  } catch (error) {
    return { problem: `${task.what} could not be started: ${messageOf(error)}` };
  } finally {
    closeSync(descriptor);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
