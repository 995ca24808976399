/** A program of this machine that takes our place at the terminal, without a shell in between. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { CommandError } from '../cli/command-error.ts';
import { exitCodes } from '../cli/exit-codes.ts';

/** @returns its exit code, or 128 and the number of the signal that has ended it */
export async function runProgram(
  name: string,
  args: readonly string[],
  stop: AbortSignal,
): Promise<number> {
  const child = spawn(name, args, { stdio: 'inherit' });
  const end = () => child.kill('SIGTERM');
  stop.addEventListener('abort', end, { once: true });
  try {
    // Border: as Node says them.
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (cause) {
    throw new CommandError(exitCodes.usage, `${name} could not be run`, {
      cause,
      remedy: `is it installed? On Debian: apt install openssh-client`,
    });
  } finally {
    stop.removeEventListener('abort', end);
  }
}
