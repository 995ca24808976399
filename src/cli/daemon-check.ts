/** What `unnest doctor` finds out about unnestd: whether it answers here, and as what. */
import type { Command } from 'commander';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import { explainError } from '../host/host-error.ts';
import { remedyOf } from './command-error.ts';
import { requireDaemon, socketPath } from './daemon.ts';
import type { Check, Environment } from './environment.ts';
import type { Limits } from './pass.ts';
import { isOver, sumFinding } from './render/host-sum.ts';
import { saidOf } from './said-where.ts';

/** None with `--host`, which means without unnestd. No finding is graver than a warning: none has to run. */
export async function daemonChecks(
  command: Command,
  environment: Environment,
  { stop }: Limits,
): Promise<readonly Check[]> {
  if (saidOf(command, 'host', environment) !== 'nothing') return [];
  const name = 'unnestd';
  const socket = socketPath(command, environment);
  try {
    const client = await requireDaemon({ socket }, environment);
    const within = AbortSignal.any([stop, AbortSignal.timeout(answerMs)]);
    const { version } = await client.about(within);
    const finding = `version ${version} answers on ${socket}`;
    return [{ name, status: 'ok', finding, mend: null }, ...(await promisesOf(client, within))];
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    const finding = error.code === 'Cancelled' ? `${socket} does not answer` : explainError(error);
    return [{ name, status: 'warning', finding, mend: remedyOf(error) }];
  }
}

/** Whether the partitions fit the host together. */
async function promisesOf(client: DaemonClient, signal: AbortSignal): Promise<readonly Check[]> {
  const { items, promised } = await client.partitions(signal);
  if (items.length === 0 || promised === null) return [];
  const name = 'partitions';
  const finding = sumFinding(promised);
  if (!isOver(promised)) return [{ name, status: 'ok', finding, mend: null }];
  const mend = '`unnest status` says what to lower, and by how much';
  return [{ name, status: 'warning', finding, mend }];
}

const answerMs = 5000;
