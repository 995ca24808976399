/** Output that could not be written is said on the output that is left, and by the exit code. */
import { writeSync } from 'node:fs';
import { errorCodesFrom, exitCodes } from '../cli/exit-codes.ts';
import type { CheckedOutput } from './streams.ts';

/** @returns the exit code: what the work has failed of counts for more than what was not printed. */
export function reportLostOutput(
  { stdout, stderr }: { readonly stdout: CheckedOutput; readonly stderr: CheckedOutput },
  code: number,
): number {
  const lost = stdout.failure() ?? stderr.failure();
  if (lost === null) return code;
  if (stdout.failure() !== null) say(2, `error: standard output: ${lost.message}\n`);
  else say(1, `error: standard error: ${lost.message}\n`);
  return code < errorCodesFrom ? exitCodes.output : code;
}

/** At the very end only what is done at once is done at all. */
function say(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // Both are gone, so that only the exit code is left to say it.
  }
}
