/** The built `unnest` on a terminal of its own, with somebody at it: see terminal.py. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { program } from './cli.ts';

const terminal = fileURLToPath(new URL('terminal.py', import.meta.url));

export interface Sat {
  readonly code: number;
  /** All that the terminal has shown. */
  readonly said: string;
  /** Whether its settings are those of before. */
  readonly restored: boolean;
}

/** @throws Error with all that was shown, if a step does not come true */
export function atTerminal(
  steps: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Sat> {
  const command = [terminal, ...steps, '--', process.execPath, program, ...args];
  const options = { env, timeout: 280_000, maxBuffer: 64 * 2 ** 20 };
  return new Promise((done, fail) => {
    execFile('/usr/bin/python3', command, options, (error, stdout, stderr) => {
      if (error === null) done(JSON.parse(stdout) as Sat);
      else fail(new Error(`${stdout}${stderr}`, { cause: error }));
    });
  });
}
