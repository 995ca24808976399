/** A `--timeout` that is over once a command has seen what the test says, however long that takes here. */
import { vi } from 'vitest';
import { isStatus, notedClient, type Said } from './noted-client.ts';
import { type Ran, run, type Surroundings } from './run.ts';

const seconds = 3600;

/** @param running is given the arguments that say that time, and how to end it */
export async function inTime(
  running: (timeout: readonly string[], timeIsUp: () => void) => Promise<Ran>,
): Promise<Ran> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    return await running(['--timeout', `${seconds}`], () => vi.advanceTimersByTime(seconds * 1000));
  } finally {
    vi.useRealTimers();
  }
}

/** @param isEnough of what the daemon has said; by default any status is */
export function runUntilSeen(
  argv: readonly string[],
  socket: string,
  surroundings: Surroundings = {},
  isEnough: (said: Said) => boolean = isStatus,
): Promise<Ran> {
  return inTime((timeout, timeIsUp) => {
    const client = notedClient(socket, (said) => {
      if (isEnough(said)) timeIsUp();
    });
    return run([...argv, ...timeout], { ...surroundings, findDaemon: async () => client });
  });
}
