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

export interface SocketOptions {
  readonly socket: string;
}

export interface DaemonOptions extends SocketOptions {
  readonly partition: string;
  readonly timeout?: number;
}

const defaultSocket = '/run/unnest/operator.sock';

export function socketOption({ variables }: Environment): Option {
  const said = variables.get('UNNEST_SOCKET') ?? '';
  return new Option('--socket <path>', "unnestd's socket").default(said || defaultSocket);
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
  const { variables, findDaemon } = environment;
  const flag = (name: string) => command.getOptionValueSource(name) === 'cli';
  const variable = (name: string) => (variables.get(name) ?? '') !== '';
  if (flag('host') && flag('socket')) {
    throw usageError(
      'both --host and --socket were given',
      'one is without unnestd, one through it',
    );
  }
  if (flag('host')) return null;
  if (flag('socket')) return requireDaemon({ socket }, environment);
  if (variable('UNNEST_HOST')) return null;
  if (variable('UNNEST_SOCKET')) return requireDaemon({ socket }, environment);
  return findDaemon(socket);
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
export function stoppedLooking(limits: Limits, waitedFor: string, now: string): CommandError {
  const timedOut = limits.timedOut();
  const why = timedOut ? 'the time that --timeout gives was over' : 'interrupted';
  return new CommandError(
    timedOut ? exitCodes.timeout : exitCodes.interrupted,
    `${why} while waiting for ${waitedFor}: ${now}`,
    { remedy: 'unnestd goes on with it; `unnest status` says how far it is' },
  );
}
