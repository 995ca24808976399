/**
 * Whether a command goes through unnestd or to the host by itself. `--host` (or UNNEST_HOST) means
 * the host. Otherwise the daemon is asked where its socket is there, for it has the partition then.
 */
import { type Command, Option } from 'commander';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import { CommandError, usageError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import { partitionOption, requirePartition, timeoutOption } from './options.ts';
import { endedEarly, type Limits } from './pass.ts';
import { saidOf } from './said-where.ts';

export interface SocketOptions {
  readonly socket: string;
}

export interface DaemonOptions extends SocketOptions {
  readonly partition: string;
  readonly timeout?: number;
}

const defaultSocket = '/run/unnest/operator.sock';

export function socketOption(environment: Environment): Option {
  return new Option('--socket <path>', "unnestd's socket").default(socketUnsaid(environment));
}

function socketUnsaid({ variables }: Environment): string {
  return variables.get('UNNEST_SOCKET') || defaultSocket;
}

/** Also of a command that has no option for it. */
export function socketPath(command: Command, environment: Environment): string {
  return command.opts<Partial<SocketOptions>>().socket ?? socketUnsaid(environment);
}

/** For commands that only the daemon can carry out. */
export function withDaemonOptions(command: Command, environment: Environment): Command {
  return command
    .addOption(partitionOption(environment))
    .addOption(socketOption(environment))
    .addOption(timeoutOption());
}

export const partitionOf = ({ partition }: DaemonOptions) => requirePartition(partition);

/** Null: the host is to be worked on directly. @param command whose options tell who said what */
export async function daemonFor(
  command: Command,
  { socket }: SocketOptions,
  environment: Environment,
): Promise<DaemonClient | null> {
  const host = saidOf(command, 'host', environment);
  const said = saidOf(command, 'socket', environment);
  if (host === 'option' && said === 'option') {
    throw usageError(
      'both --host and --socket were given',
      'one is without unnestd, one through it',
    );
  }
  if (host === 'option') return null;
  if (said === 'option') return requireDaemon({ socket }, environment);
  if (host === 'variable') return null;
  if (said === 'variable') return requireDaemon({ socket }, environment);
  return environment.findDaemon(socket);
}

/** @throws DaemonError `NotRunning` */
export async function requireDaemon(
  { socket }: SocketOptions,
  { findDaemon }: Environment,
): Promise<DaemonClient> {
  const client = await findDaemon(socket);
  if (client !== null) return client;
  throw new DaemonError('NotRunning', `unnestd does not run here: there is no ${socket}`);
}

/** @param doing such as `the status was read`: said where the limits have ended it */
export async function withinLimits<T>(limits: Limits, doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DaemonError && error.code === 'Cancelled' && limits.stop.aborted) {
      throw endedEarly(limits, doing);
    }
    throw error;
  }
}

/** What the daemon goes on with is not undone by somebody who no longer looks. */
const goesOn = 'unnestd goes on with it; `unnest status` says how far it is';

/** @param remedy for where there is nothing that unnestd goes on with */
export function stoppedLooking(
  limits: Limits,
  waitedFor: string,
  now: string,
  remedy: string = goesOn,
): CommandError {
  const timedOut = limits.timedOut();
  const why = timedOut ? 'the time that --timeout gives was over' : 'interrupted';
  return new CommandError(
    timedOut ? exitCodes.timeout : exitCodes.interrupted,
    `${why} while waiting for ${waitedFor}: ${now}`,
    { remedy },
  );
}
