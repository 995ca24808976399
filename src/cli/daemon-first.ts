/**
 * Commands about one Secondary that unnestd answers best, on the host and in a Primary, and that can do
 * without it on the host: of a partition or a Secondary that it does not look after.
 */
import type { Command } from 'commander';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import type { PartitionName } from '../model/names.ts';
import { daemonBeside } from './daemon-beside.ts';
import type { Environment } from './environment.ts';
import { type HostOptions, requirePartition } from './options.ts';
import type { Limits } from './pass.ts';

/** What it does not know, the host may. */
const notItsOwn: ReadonlySet<string> = new Set(['NoPartition', 'NothingYet', 'NoSuchSecondary']);

/** Null: the host is to be asked by itself. */
export async function askDaemonFirst<T>(
  command: Command,
  options: HostOptions,
  environment: Environment,
  limits: Limits,
  ask: (client: DaemonClient, of: { readonly partition: PartitionName }) => Promise<T>,
): Promise<T | null> {
  const beside = await daemonBeside(command, environment, limits);
  if (beside === null) return null;
  try {
    return await ask(beside.client, { partition: requirePartition(options.partition) });
  } catch (error) {
    const isOperator = beside.about.partition === null;
    if (isOperator && error instanceof DaemonError && notItsOwn.has(error.code)) return null;
    throw error;
  }
}
