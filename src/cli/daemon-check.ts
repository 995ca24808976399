/** What `unnest doctor` finds out about unnestd: whether it answers here, and as what. */
import type { Command } from 'commander';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import { explainError } from '../host/host-error.ts';
import { remedyOf } from './command-error.ts';
import { requireDaemon, socketPath } from './daemon.ts';
import type { HostSum } from '../report/host-sum.ts';
import type { Check, Environment } from './environment.ts';
import type { Limits } from './pass.ts';
import { reserveChecks } from './host-reserve.ts';
import { isOver, sumFinding } from './render/host-sum.ts';
import { saidOf } from './said-where.ts';
import { timeoutSignal } from '../host/timeout-signal.ts';

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
    const within = AbortSignal.any([stop, timeoutSignal(answerMs)]);
    const { version } = await client.about(within);
    const finding = `version ${version} answers on ${socket}`;
    const about: Check = { name, status: 'ok', finding, mend: null };
    return [about, ...(await promisesOf(client, environment, within))];
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    const finding = error.code === 'Cancelled' ? `${socket} does not answer` : explainError(error);
    return [{ name, status: 'warning', finding, mend: remedyOf(error) }];
  }
}

/** Whether the partitions fit the host together, and whether what they leave of it is kept for it. */
async function promisesOf(
  client: DaemonClient,
  { hostGroups }: Environment,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { items, promised } = await client.partitions(signal);
  if (promised === null) return [];
  return [...fitOf(items.length, promised), ...(await reservesOf(promised, hostGroups))];
}

async function reservesOf(
  promised: HostSum,
  hostGroups: Environment['hostGroups'],
): Promise<readonly Check[]> {
  try {
    const groups = await hostGroups();
    return groups === null ? [] : reserveChecks(promised, groups);
  } catch (error) {
    const finding = `what is kept for the host could not be read: ${explainError(error)}`;
    return [{ name: 'reserve', status: 'warning', finding, mend: null }];
  }
}

function fitOf(partitions: number, promised: HostSum): readonly Check[] {
  if (partitions === 0) return [];
  const name = 'partitions';
  const finding = sumFinding(promised);
  if (!isOver(promised)) return [{ name, status: 'ok', finding, mend: null }];
  const mend = '`unnest status` says what to lower, and by how much';
  return [{ name, status: 'warning', finding, mend }];
}

const answerMs = 5000;
