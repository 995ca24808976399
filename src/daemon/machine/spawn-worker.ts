/** Starts real workers, in bubblewrap. Where that is missing there are none: nothing replaces it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { SpawnWorker, WorkerEnd, WorkerListener, WorkerProcess } from '../worker-process.ts';
import { filterDescriptor, sandboxCommand, type SandboxPrograms } from './sandbox.ts';
import { isFilteredProcessor, syscallFilter } from './syscall-filter.ts';

export interface WorkerInstallation {
  /** The worker's program: one file of JavaScript that imports nothing but Node. */
  readonly program: string;
  /** Where bubblewrap and its like are looked for, in this order. */
  readonly folders: readonly string[];
}

export const systemFolders: readonly string[] = ['/usr/bin', '/bin', '/usr/local/bin'];

/**
 * @returns a port whose workers are all alike; what a partition pays for itself is decided here
 * once it has a slice
 */
export function workerSpawner(installation: WorkerInstallation): SpawnWorker {
  return (_partition, listener) => {
    const started = start(installation);
    if ('problem' in started) return notThere(started.problem, listener);
    return follow(started, listener);
  };
}

function start({ program, folders }: WorkerInstallation): ChildProcess | { problem: string } {
  const programs = programsIn(folders);
  if ('problem' in programs) return programs;
  const { arch } = process;
  if (!isFilteredProcessor(arch)) {
    return { problem: `no filter of system calls is known for this processor: ${arch}` };
  }
  let descriptor: number;
  try {
    // Opened by us: nobody may not be able to look where it is kept.
    descriptor = openSync(program, 'r');
  } catch (error) {
    return { problem: `the worker's program cannot be read: ${messageOf(error)}` };
  }
  try {
    const [command, ...args] = sandboxCommand(programs);
    const child = spawn(command, args, {
      cwd: '/',
      env: {},
      shell: false,
      // A signal of the terminal is for the daemon, which then ends its workers.
      detached: true,
      // The fourth is the program and the fifth the filter, as the sandbox expects them.
      stdio: ['pipe', 'pipe', 'pipe', descriptor, 'pipe'],
    });
    handFilter(child, syscallFilter(arch));
    return child;
  } catch (error) {
    return { problem: `the worker could not be started: ${messageOf(error)}` };
  } finally {
    closeSync(descriptor);
  }
}

function handFilter(child: ChildProcess, filter: Uint8Array): void {
  const pipe = child.stdio[filterDescriptor];
  // Where it was not made, nothing was started either.
  if (!(pipe instanceof Duplex)) return;
  // Of a sandbox that has ended before it took it; its end says more.
  pipe.on('error', () => undefined);
  // Nothing comes back, but its end is waited for before the worker counts as ended.
  pipe.resume();
  pipe.end(filter);
}

function programsIn(folders: readonly string[]): SandboxPrograms | { problem: string } {
  const find = (name: string) =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  const bwrap = find('bwrap');
  if (bwrap === undefined) {
    return { problem: 'there is no bwrap on this machine: apt-get install bubblewrap' };
  }
  const prlimit = find('prlimit');
  const setpriv = find('setpriv');
  const choom = find('choom');
  if (prlimit === undefined || setpriv === undefined || choom === undefined) {
    return { problem: 'there is no prlimit, setpriv or choom here: apt-get install util-linux' };
  }
  const isRoot = process.getuid?.() === 0;
  const node = realpathSync(process.execPath);
  const nodeMajor = Number.parseInt(process.versions.node, 10);
  return { bwrap, prlimit, choom, setpriv: isRoot ? setpriv : null, node, nodeMajor };
}

/** As if it had been started and had ended. */
function notThere(message: string, { onEnd }: WorkerListener): WorkerProcess {
  queueMicrotask(() => onEnd({ kind: 'not-started', message }));
  return { send: () => undefined, kill: () => undefined };
}

/** Of what it wrote to standard error; one that writes more is ended, whatever it has to say. */
const complaintBytesMax = 2000;

function follow(child: ChildProcess, { onData, onEnd }: WorkerListener): WorkerProcess {
  let complaint = '';
  let problem: string | null = null;
  child.stdout?.on('data', onData);
  child.stderr?.on('data', (chunk: Buffer) => {
    const all = complaint + chunk.subarray(0, complaintBytesMax + 1).toString('latin1');
    complaint = all.slice(0, complaintBytesMax);
    if (all.length > complaintBytesMax) child.kill('SIGKILL');
  });
  // Of a worker that has ended; its end says more.
  child.stdin?.on('error', () => undefined);
  child.on('error', (error) => {
    problem ??= `the worker could not be started: ${messageOf(error)}`;
    // Nothing was started, so nothing will be closed.
    if (child.pid === undefined) onEnd({ kind: 'not-started', message: problem });
  });
  child.once('close', (code, signal) => {
    if (child.pid === undefined) return;
    onEnd(endOf(code === null ? `by ${signal}` : `with exit code ${code}`, complaint));
  });
  return {
    send: (bytes) => child.stdin?.write(bytes),
    // With bubblewrap ends the first process of the sandbox, and with that all others in it.
    kill: () => child.kill('SIGKILL'),
  };
}

/** The programs around the worker say so when they cannot make the sandbox. */
function endOf(how: string, complaint: string): WorkerEnd {
  const isSandbox = /^(?:bwrap|choom|setpriv|prlimit|\/prlimit): /.test(complaint);
  if (!isSandbox) return { kind: 'ended', how, complaint };
  return { kind: 'not-started', message: `the sandbox cannot be made: ${complaint}` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
