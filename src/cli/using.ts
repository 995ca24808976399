/** A host is opened, used and closed again, whatever happens in between, within the time given. */
import { HostError } from '../host/host-error.ts';
import type { Open, Opened, Target } from './environment.ts';
import type { Limits } from './pass.ts';

export async function using<T, R>(
  open: Open<T>,
  target: Target,
  limits: Limits,
  work: (host: T) => Promise<R>,
): Promise<R> {
  const opened = await opening(open, target, limits);
  try {
    return await work(opened.host);
  } finally {
    await opened.close();
  }
}

async function opening<T>(open: Open<T>, target: Target, limits: Limits): Promise<Opened<T>> {
  try {
    return await open(target, limits.stop);
  } catch (error) {
    if (error instanceof HostError && error.code === 'Cancelled' && limits.timedOut()) {
      const message = `${target.uri} did not answer in the time that --timeout gives`;
      throw new HostError('Timeout', message, { cause: error });
    }
    throw error;
  }
}
