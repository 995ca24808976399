/** `unnest rollback`: bring the documents of an earlier generation back into force. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DaemonClient } from '../../channel/client.ts';
import { DaemonError } from '../../channel/daemon-error.ts';
import type { PartitionName } from '../../model/names.ts';
import type { HistoryEntry } from '../../report/submission.ts';
import { askFirst } from '../ask-first.ts';
import { usageError } from '../command-error.ts';
import {
  type DaemonOptions,
  partitionOf,
  requireDaemon,
  withDaemonOptions,
  withinLimits,
} from '../daemon.ts';
import type { Environment } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { outputOption } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { hand } from '../submit.ts';

interface Options extends DaemonOptions {
  readonly to?: number;
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly output: 'text' | 'json';
}

export function rollbackCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('rollback'), environment)
    .description('bring earlier documents back into force: those of before, or --to a generation')
    .addOption(
      new Option('--to <generation>', 'which one; `unnest history` lists them').argParser(number),
    )
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'do not wait until it is done')
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options) => {
      exit(await runRollback(options, environment));
    });
}

async function runRollback(options: Options, environment: Environment): Promise<ExitCode> {
  const limits = limitsOf(environment, options.timeout);
  const partition = partitionOf(options);
  const client = await requireDaemon(options, environment);
  const reading = client.history(partition, limits.stop);
  const history = await withinLimits(limits, 'the history was read', reading);
  const generation = options.to ?? theOneBefore(history);
  if (!options.yes) {
    const what = `brings generation ${generation} of partition ${partition} back; guests may be restarted or deleted by it`;
    await askFirst(what, environment);
    await checkInForce(client, partition, history, limits);
  }
  const { wait, output } = options;
  const give = (stop: AbortSignal) => client.rollback(partition, generation, stop);
  return hand({ client, partition, give, wait, output }, environment, limits);
}

/** Nobody has agreed to put out of force what was accepted while they were asked. */
async function checkInForce(
  client: DaemonClient,
  partition: PartitionName,
  asked: readonly HistoryEntry[],
  limits: Limits,
): Promise<void> {
  const reading = client.history(partition, limits.stop);
  const now = newest(await withinLimits(limits, 'the history was read', reading));
  if (now === newest(asked)) return;
  throw new DaemonError('NotInForce', `generation ${now} was accepted meanwhile`);
}

function newest(history: readonly HistoryEntry[]): number {
  return Math.max(0, ...history.map(({ generation }) => generation));
}

/** Other documents than those in force: to bring back the same is to do nothing. */
function theOneBefore(history: readonly HistoryEntry[]): number {
  const [inForce, ...earlier] = [...history].sort((a, b) => b.generation - a.generation);
  const before = earlier.find(({ digest }) => digest !== inForce?.digest);
  if (before !== undefined) return before.generation;
  throw usageError('there are no earlier documents to bring back', 'see `unnest history`');
}

function number(text: string): number {
  if (/^[1-9][0-9]{0,11}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected the number of a generation');
}
