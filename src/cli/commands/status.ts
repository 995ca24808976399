/** `unnest status`: how a partition is, or all of them, as unnestd says. */
import { Command } from 'commander';
import type { DaemonClient } from '../../channel/client.ts';
import { type DaemonOptions, requireDaemon, withDaemonOptions, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption, partitionGiven } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { paintFor } from '../render/paint.ts';
import { renderPartition, renderPartitions } from '../render/partition-status.ts';

interface Options extends DaemonOptions {
  readonly output: 'text' | 'json';
}

export function statusCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('status'), environment)
    .description('say how a partition is, or all of them: in sync, healthy, what is tried next')
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const client = await requireDaemon(options, environment);
      const text = textOf(client, options, command, environment, limits);
      environment.stdout.write(await withinLimits(limits, 'the status was read', text));
      exit(exitCodes.ok);
    });
}

async function textOf(
  client: DaemonClient,
  { output }: Options,
  command: Command,
  environment: Environment,
  { stop }: Limits,
): Promise<string> {
  const name = partitionGiven(command, environment);
  if (name !== null) {
    const status = await client.status(name, stop);
    if (output === 'json') return `${JSON.stringify(status, null, 2)}\n`;
    return renderPartition(status, paintFor(environment.stdout, environment.variables));
  }
  const items = await client.partitions(stop);
  if (output === 'json') return `${JSON.stringify({ items }, null, 2)}\n`;
  return items.length === 0 ? 'unnestd looks after no partition yet.\n' : renderPartitions(items);
}
