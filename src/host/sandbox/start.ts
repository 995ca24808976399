/**
 * A program on its way into its sandbox: bubblewrap waits for the filter of system calls, without
 * which the program does not begin. So it begins only where the kernel shows that it is to be.
 */
import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { WorkerPlace } from '../worker-places.ts';
import { filterDescriptor } from './command.ts';

/**
 * Resolves once it has all that it waits for.
 * @param over fires when it has ended
 * @throws Error if it is not seen in its place; it has been ended then
 */
export async function letBegin(
  child: ChildProcess,
  place: WorkerPlace | null,
  filter: Uint8Array,
  over: AbortSignal,
): Promise<void> {
  if (child.pid === undefined) return;
  try {
    await place?.enter(child.pid, over);
  } catch (error) {
    endSandboxed(child);
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`it was not brought into ${place?.path}: ${why}`, { cause: error });
  }
  handFilter(child, filter);
}

/**
 * With bubblewrap ends the first process of the sandbox, and with that all others in it; but as long as
 * that one waits for the filter it waits for nothing else, so it gets none.
 */
export function endSandboxed(child: ChildProcess): void {
  child.kill('SIGKILL');
  const pipe = child.stdio[filterDescriptor];
  if (pipe instanceof Duplex) pipe.destroy();
}

function handFilter(child: ChildProcess, filter: Uint8Array): void {
  const pipe = child.stdio[filterDescriptor];
  // Where it was not made, nothing was started either.
  if (!(pipe instanceof Duplex)) return;
  // Of a sandbox that has ended before it took it; its end says more.
  pipe.on('error', () => undefined);
  // Nothing comes back, but its end is waited for before the program counts as ended.
  pipe.resume();
  pipe.end(filter);
}
