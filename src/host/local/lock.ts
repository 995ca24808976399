/**
 * One writer per partition. An abstract Unix socket is the lock: the kernel gives it to one process
 * and takes it back when that process ends, however it ends, so nothing stale can be left behind.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import type { PartitionName } from '../../model/names.ts';
import { HostError } from '../host-error.ts';
import { hasErrno, ioError } from './io-error.ts';

export interface Lock {
  release(): Promise<void>;
}

/** @throws HostError `Conflict` if another process writes to this partition. */
export function lockPartition(stateDir: string, partition: PartitionName): Promise<Lock> {
  const message = `another process is changing partition ${partition}`;
  return lockName(`${resolve(stateDir)}\0${partition}`, message);
}

/** @throws HostError `Conflict`, with this message, if another process holds `name`. */
export async function lockName(name: string, conflict: string): Promise<Lock> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done, fail) => {
    server.once('error', (error) => fail(lockError(conflict, error)));
    server.listen(lockAddress(name), done);
  });
  // A held lock is no reason for the process to stay.
  server.unref();
  return {
    release: () => new Promise((done) => server.close(() => done())),
  };
}

/** An abstract address holds 107 bytes, a path may be longer, so it is hashed. */
function lockAddress(name: string): string {
  const key = createHash('sha256').update(name).digest('hex');
  return `\0unnest/lock/${key}`;
}

function lockError(conflict: string, error: unknown): HostError {
  if (!hasErrno(error, 'EADDRINUSE')) return ioError('taking a lock', error);
  return new HostError('Conflict', conflict);
}
