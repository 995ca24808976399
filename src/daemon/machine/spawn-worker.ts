/** Starts real workers, in bubblewrap. Where that is missing there are none: nothing replaces it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { WorkerPlace } from '../../host/worker-places.ts';
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

/** @returns a port whose workers are all alike, wherever they run */
export function workerSpawner(installation: WorkerInstallation): SpawnWorker {
  return (_partition, place, listener) => {
    const started = start(installation, place);
    if ('problem' in started) return notThere(started.problem, listener);
    return follow(started, place, listener);
  };
}

interface Started {
  readonly child: ChildProcess;
  /** Without which the worker's program does not begin. */
  readonly filter: Uint8Array;
}

function start(
  { program, folders }: WorkerInstallation,
  place: WorkerPlace | null,
): Started | { problem: string } {
  const programs = programsIn(folders);
  if ('problem' in programs) return programs;
  const launcher = launcherIn(folders, place);
  if ('problem' in launcher) return launcher;
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
    const [command = '', ...args] = sandboxCommand(programs, launcher.words);
    const child = spawn(command, args, {
      cwd: '/',
      env: {},
      shell: false,
      // A signal of the terminal is for the daemon, which then ends its workers.
      detached: true,
      // The fourth is the program and the fifth the filter, as the sandbox expects them.
      stdio: ['pipe', 'pipe', 'pipe', descriptor, 'pipe'],
    });
    return { child, filter: syscallFilter(arch) };
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

function launcherIn(
  folders: readonly string[],
  place: WorkerPlace | null,
): { readonly words: readonly string[] } | { problem: string } {
  const launcher = place?.launcher ?? null;
  if (launcher === null) return { words: [] };
  const program = programIn(folders, launcher.program);
  if (program === undefined) return { problem: `there is no ${launcher.program} on this machine` };
  return { words: [program, ...launcher.args] };
}

function programIn(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function programsIn(folders: readonly string[]): SandboxPrograms | { problem: string } {
  const find = (name: string) => programIn(folders, name);
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

function follow(
  { child, filter }: Started,
  place: WorkerPlace | null,
  { onData, onEnd }: WorkerListener,
): WorkerProcess {
  let complaint = '';
  child.stdout?.on('data', onData);
  child.stderr?.on('data', (chunk: Buffer) => {
    const all = complaint + chunk.subarray(0, complaintBytesMax + 1).toString('latin1');
    complaint = all.slice(0, complaintBytesMax);
    if (all.length > complaintBytesMax) end(child);
  });
  // Of a worker that has ended; its end says more.
  child.stdin?.on('error', () => undefined);
  child.on('error', (error) => {
    // Nothing was started, so nothing will be closed.
    if (child.pid !== undefined) return;
    onEnd({ kind: 'not-started', message: `the worker could not be started: ${messageOf(error)}` });
  });
  const over = new AbortController();
  const placed = placing(child, place, filter, over.signal);
  const tellEnd = async (facts: Pick<Facts, 'how' | 'wasKilled'>) => {
    const problem = await placed;
    await place?.left();
    onEnd(endOf({ ...facts, complaint, problem }));
  };
  child.once('close', (code, signal) => {
    if (child.pid === undefined) return;
    over.abort();
    const wasKilled = code === null;
    void tellEnd({ wasKilled, how: wasKilled ? `by ${signal}` : `with exit code ${code}` });
  });
  return {
    send: (bytes) => child.stdin?.write(bytes),
    kill: () => end(child),
  };
}

/**
 * With bubblewrap ends the first process of the sandbox, and with that all others in it; but as long as
 * that one waits for the filter it waits for nothing else, so it gets none.
 */
function end(child: ChildProcess): void {
  child.kill('SIGKILL');
  const pipe = child.stdio[filterDescriptor];
  if (pipe instanceof Duplex) pipe.destroy();
}

/** @returns what kept it from being where it should be, so that it was ended; null: nothing did */
async function placing(
  child: ChildProcess,
  place: WorkerPlace | null,
  filter: Uint8Array,
  over: AbortSignal,
): Promise<string | null> {
  if (child.pid === undefined) return null;
  try {
    await place?.enter(child.pid, over);
    handFilter(child, filter);
    return null;
  } catch (error) {
    end(child);
    return `it was not brought into ${place?.path}: ${messageOf(error)}`;
  }
}

interface Facts {
  readonly how: string;
  readonly complaint: string;
  /** What kept it from being where it should be; null: nothing did. */
  readonly problem: string | null;
  /** Whether a signal has ended it, such as ours, so that its complaints are about that. */
  readonly wasKilled: boolean;
}

/** The programs around the worker say so when they cannot make the sandbox. */
function endOf({ how, complaint, problem, wasKilled }: Facts): WorkerEnd {
  if (problem !== null && wasKilled) return { kind: 'not-placed', message: problem };
  const isSandbox = /^(?:bwrap|choom|setpriv|prlimit|\/prlimit): /.test(complaint);
  if (isSandbox) {
    return { kind: 'not-started', message: `the sandbox cannot be made: ${complaint}` };
  }
  if (problem === null) return { kind: 'ended', how, complaint };
  const words = complaint === '' ? problem : `${problem}: ${complaint}`;
  return { kind: 'not-placed', message: words };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
