import { createConnection, type Socket } from 'node:net';
import { ConnectionError, dialError } from './errors.ts';
import type { Timers } from './timers.ts';

export interface DialOptions {
  readonly socketPath: string;
  readonly timeoutMs: number;
  readonly timers: Timers;
  readonly signal?: AbortSignal | undefined;
}

/** Connects to a Unix socket; rejects with `unreachable`, `permission`, `timeout` or `aborted`. */
export function dial({ socketPath, timeoutMs, timers, signal }: DialOptions): Promise<Socket> {
  const socket = createConnection({ path: socketPath });
  return new Promise((resolve, reject) => {
    const settle = (error?: ConnectionError) => {
      timers.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      if (error === undefined) return resolve(socket);
      socket.on('error', () => {}).destroy();
      return reject(error);
    };
    const onError = (cause: Error) => settle(dialError(socketPath, cause));
    const onAbort = () =>
      settle(new ConnectionError('aborted', 'connecting was aborted', { cause: signal?.reason }));
    const onTimeout = () =>
      settle(
        new ConnectionError('timeout', `no connection to ${socketPath} within ${timeoutMs} ms`),
      );
    const timer = timers.setTimeout(onTimeout, timeoutMs);
    socket.once('connect', () => settle()).once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}
