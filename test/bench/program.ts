/** Running a program to its end, with its output in a file, so that reading it costs nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** A file for its standard input. */
  readonly input?: string;
}

const unnestFile = fileURLToPath(new URL('../../dist/bin/unnest.js', import.meta.url));

export function unnest(...args: readonly string[]): Program {
  return { command: process.execPath, args: [unnestFile, ...args] };
}

let count = 0;

/** @returns how to get at its standard output. @throws Error unless it exits with 0. */
export async function runProgram({ command, args, input }: Program): Promise<() => string> {
  const base = join(tmpdir(), `bench-${process.pid}-${(count += 1)}`);
  const [out, err] = [`${base}.out`, `${base}.err`];
  const files = [openSync(input ?? '/dev/null', 'r'), openSync(out, 'w'), openSync(err, 'w')];
  try {
    const child = spawn(command, args, { stdio: files });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== 0) throw new Error(failure([command, ...args], code ?? signal, err));
  } finally {
    files.forEach(closeSync);
    unlinkSync(err);
  }
  return () => {
    const text = readFileSync(out, 'utf8');
    unlinkSync(out);
    return text;
  };
}

function failure(line: readonly string[], end: number | string | null, errorFile: string): string {
  const said = readFileSync(errorFile, 'utf8').trim();
  return `"${line.join(' ').slice(0, 200)}" ended with ${end}: ${said.slice(-1000)}`;
}
