/** The border of every call of this folder: not begun once told to stop, and one kind of error. */
import { HostError } from '../host-error.ts';
import { ioError } from './io-error.ts';

/** @param doing such as `creating volume data` */
export async function attempt<T>(
  doing: string,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T> {
  goOn(doing, signal);
  try {
    return await call();
  } catch (error) {
    throw error instanceof HostError ? error : ioError(doing, error);
  }
}

/** @throws HostError `Cancelled` once the signal has fired */
export function goOn(doing: string, signal: AbortSignal): void {
  if (signal.aborted) throw new HostError('Cancelled', `${doing} was given up`);
}
