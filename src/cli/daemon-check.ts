/** What `unnest doctor` finds out about unnestd: whether it answers here, and as what. */
import type { Command } from 'commander';
import { DaemonError } from '../channel/daemon-error.ts';
import { explainError } from '../host/host-error.ts';
import { remedyOf } from './command-error.ts';
import { requireDaemon, socketPath } from './daemon.ts';
import type { Check, Environment } from './environment.ts';
import type { Limits } from './pass.ts';
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
    const { version } = await client.about(AbortSignal.any([stop, AbortSignal.timeout(answerMs)]));
    return [{ name, status: 'ok', finding: `version ${version} answers on ${socket}`, mend: null }];
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    const finding = error.code === 'Cancelled' ? `${socket} does not answer` : explainError(error);
    return [{ name, status: 'warning', finding, mend: remedyOf(error) }];
  }
}

const answerMs = 5000;
