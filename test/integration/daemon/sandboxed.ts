/** Programs of a test's own in the worker's sandbox, and what the kernel says of them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workerSpawner } from '../../../src/daemon/machine/spawn-worker.ts';
import { systemFolders } from '../../../src/host/sandbox/programs.ts';
import type { WorkerEnd, WorkerProcess } from '../../../src/daemon/worker-process.ts';
import type { WorkerPlace } from '../../../src/host/worker-places.ts';
import type { PartitionName } from '../../../src/model/names.ts';

export interface Sandboxed {
  readonly process: WorkerProcess;
  /** What it has written by the time that it says `DONE`, or ends. */
  readonly said: Promise<string>;
  readonly ended: Promise<WorkerEnd>;
}

export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'unnest-sandbox-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs `code`, a module of JavaScript, as if it were the worker that somebody has taken over. */
export function runSandboxed(
  folder: string,
  code: string,
  folders = systemFolders,
  place: WorkerPlace | null = null,
): Sandboxed {
  const program = join(folder, 'program.mjs');
  writeFileSync(program, code, { mode: 0o600 });
  let text = '';
  let process: WorkerProcess | undefined;
  let onEnd: (end: WorkerEnd) => void = () => undefined;
  const ended = new Promise<WorkerEnd>((resolve) => (onEnd = resolve));
  const said = new Promise<string>((resolve) => {
    process = workerSpawner({ program, folders })('a' as PartitionName, place, {
      onData: (chunk) => {
        text += Buffer.from(chunk).toString();
        if (text.endsWith('DONE')) resolve(text.slice(0, -'DONE'.length));
      },
      onEnd: (end) => {
        resolve(text);
        onEnd(end);
      },
    });
  });
  if (process === undefined) throw new Error('nothing was started');
  return { process, said, ended };
}

export interface SandboxedProcess {
  readonly pid: number;
  /** Of `/proc/PID/status`, by name. */
  readonly status: ReadonlyMap<string, string>;
}

/** Every Node in a sandbox that this process, or `ancestor`, has started. */
export function sandboxedBelow(ancestor: number): readonly SandboxedProcess[] {
  const parents = new Map(allPids().map((pid) => [pid, Number(statusOf(pid).get('PPid'))]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === ancestor || isBelow(parents.get(pid)));
  return [...parents.keys()]
    .filter((pid) => isBelow(pid) && commandOf(pid).startsWith('/node\0'))
    .map((pid) => ({ pid, status: statusOf(pid) }));
}

export function isAlive(pid: number): boolean {
  const state = statusOf(pid).get('State');
  return state !== undefined && !state.startsWith('Z');
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function statusOf(pid: number): ReadonlyMap<string, string> {
  const lines = read(`/proc/${pid}/status`).split('\n');
  return new Map(
    lines.map((line) => {
      const [name = '', ...rest] = line.split(':');
      return [name, rest.join(':').trim()] as const;
    }),
  );
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`);
}

/** Empty: it has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
