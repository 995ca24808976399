/** Changes to a partition are made by one process at a time. */
import { HostError } from '../host/host-error.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

export async function whileLocked<R>(
  locking: Promise<{ release(): Promise<void> }>,
  work: () => Promise<R>,
): Promise<R> {
  const lock = await locking.catch((error: unknown) => {
    throw withDaemonInMind(error);
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** unnestd holds the lock of every partition that it looks after, for as long as it runs. */
function withDaemonInMind(error: unknown): unknown {
  if (!(error instanceof HostError) || error.code !== 'Conflict') return error;
  const remedy =
    'if unnestd runs here, it has the partition: leave out --host to go through it, ' +
    'or stop it first (`systemctl stop unnestd`). If another unnest is at work, wait for it';
  return new CommandError(exitCodes.conflict, error.message, { cause: error.cause, remedy });
}
