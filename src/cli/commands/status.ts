/** `unnest status`: how a partition is, or all of them, as unnestd says. */
import { Command } from 'commander';
import type { DaemonClient } from '../../channel/client.ts';
import type { PartitionName } from '../../model/names.ts';
import { type DaemonOptions, requireDaemon, withDaemonOptions, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption, partitionGiven } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { renderHostSum } from '../render/host-sum.ts';
import { paintFor } from '../render/paint.ts';
import { renderPartition, renderPartitions } from '../render/partition-status.ts';
import { renderNone, renderProblems } from '../render/partition-problems.ts';
import { unfitIn } from '../unfit.ts';

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
      const name = partitionGiven(command, environment);
      const showing =
        name === null
          ? showAll(client, options, environment, limits)
          : showOne(client, name, options, environment, limits);
      exit(await withinLimits(limits, 'the status was read', showing));
    });
}

async function showOne(
  client: DaemonClient,
  name: PartitionName,
  { output }: Options,
  { stdout, variables }: Environment,
  { stop }: Limits,
): Promise<ExitCode> {
  const status = await client.status(name, stop);
  if (output === 'json') {
    stdout.write(`${JSON.stringify(status, null, 2)}\n`);
    return exitCodes.ok;
  }
  const paint = paintFor(stdout, variables);
  stdout.write(renderPartition(status, paint));
  // Who has what it does not get is for operators to know, and so not in its status.
  if (unfitIn(status) !== null) {
    const { problems } = await client.partitions(stop);
    const own = problems.filter(({ file }) => file === `${name}.yaml`);
    stdout.write(renderProblems(own, paint));
  }
  return exitCodes.ok;
}

/** Whoever has described a partition and does not see it in the list learns here why. */
async function showAll(
  client: DaemonClient,
  { output }: Options,
  { stdout, variables }: Environment,
  { stop }: Limits,
): Promise<ExitCode> {
  const { items, problems, partitionsDir, promised } = await client.partitions(stop);
  if (output === 'json') {
    stdout.write(`${JSON.stringify({ items, problems, partitionsDir, promised }, null, 2)}\n`);
  } else {
    stdout.write(items.length === 0 ? renderNone(partitionsDir) : renderPartitions(items));
    if (items.length > 0 && promised !== null) stdout.write(renderHostSum(promised));
    stdout.write(renderProblems(problems, paintFor(stdout, variables)));
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.partial;
}
