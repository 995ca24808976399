/** `unnest pause` and `unnest resume`: leave a partition, or one Secondary, alone for a while. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DaemonClient } from '../../channel/client.ts';
import type { SecondaryName } from '../../model/names.ts';
import type { PartitionName } from '../../model/names.ts';
import {
  type DaemonOptions,
  partitionOf,
  requireDaemon,
  withDaemonOptions,
  withinLimits,
} from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { requireSecondary } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { printable } from '../render/paint.ts';

interface PauseOptions extends DaemonOptions {
  readonly reason: string;
  /** In seconds. */
  readonly for?: number;
}

const whichOne = 'which Secondary; without, the whole partition';

export function pauseCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('pause'), environment)
    .description('leave a partition, or one Secondary, as it is until it is resumed')
    .argument('[name]', whichOne)
    .requiredOption('--reason <text>', 'why; everybody who looks is told')
    .addOption(
      new Option('--for <duration>', 'for so long, such as 30m, 12h or 7d').argParser(duration),
    )
    .action(async (name: string | undefined, options: PauseOptions) => {
      const { reason, for: forSeconds } = options;
      const end = forSeconds === undefined ? {} : { forSeconds };
      await order(name, options, environment, (client, partition, secondary, stop) =>
        client.pause(partition, { secondary, reason, ...end }, stop),
      );
      exit(exitCodes.ok);
    });
}

export function resumeCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('resume'), environment)
    .description('end a pause, or the emptying of a partition')
    .argument('[name]', whichOne)
    .action(async (name: string | undefined, options: DaemonOptions) => {
      await order(name, options, environment, (client, partition, secondary, stop) =>
        client.resume(partition, secondary, stop),
      );
      exit(exitCodes.ok);
    });
}

export function retryCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('retry'), environment)
    .description('try now what has failed, also what was given up')
    .action(async (options: DaemonOptions) => {
      await order(undefined, options, environment, (client, partition, _secondary, stop) =>
        client.retry(partition, stop),
      );
      exit(exitCodes.ok);
    });
}

type Order = (
  client: DaemonClient,
  partition: PartitionName,
  secondary: SecondaryName | null,
  stop: AbortSignal,
) => Promise<string>;

async function order(
  name: string | undefined,
  options: DaemonOptions,
  environment: Environment,
  give: Order,
): Promise<void> {
  const secondary = name === undefined ? null : requireSecondary(name);
  const limits = limitsOf(environment, options.timeout);
  const partition = partitionOf(options);
  const client = await requireDaemon(options, environment);
  const giving = give(client, partition, secondary, limits.stop);
  const message = await withinLimits(limits, 'unnestd was asked', giving);
  environment.stdout.write(`${printable(message)}\n`);
}

const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

function duration(text: string): number {
  const [, count, unit = ''] = /^([1-9][0-9]{0,5})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (unitSeconds.get(unit) ?? Number.NaN);
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new InvalidArgumentError('expected a number with s, m, h or d, such as 30m');
}
