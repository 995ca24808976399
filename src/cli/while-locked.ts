/** Changes to a partition are made by one process at a time. */
import { HostError } from '../host/host-error.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** @param throughDaemon how to have done what is wanted where unnestd has the partition */
export async function whileLocked<R>(
  locking: Promise<{ release(): Promise<void> }>,
  work: () => Promise<R>,
  throughDaemon = 'leave out --host to go through it',
): Promise<R> {
  const lock = await locking.catch((error: unknown) => {
    throw withDaemonInMind(error, throughDaemon);
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** unnestd holds the lock of every partition that it looks after, for as long as it runs. */
function withDaemonInMind(error: unknown, throughDaemon: string): unknown {
  if (!(error instanceof HostError) || error.code !== 'Conflict') return error;
  const remedy =
    `if unnestd runs here, it has the partition: ${throughDaemon}, ` +
    'or stop it first (`systemctl stop unnestd`). If another unnest is at work, wait for it';
  return new CommandError(exitCodes.conflict, error.message, { cause: error.cause, remedy });
}
