/** `unnest drain`: empty a partition, and keep it empty until it is resumed. */
import { Command } from 'commander';
import { askFirst } from '../ask-first.ts';
import {
  type DaemonOptions,
  partitionOf,
  requireDaemon,
  withDaemonOptions,
  withinLimits,
} from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { limitsOf } from '../pass.ts';
import { printable } from '../render/paint.ts';

interface Options extends DaemonOptions {
  readonly yes?: boolean;
}

export function drainCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('drain'), environment)
    .description('shut down and remove every Secondary and the network; Volumes by their policy')
    .option('-y, --yes', 'do not ask')
    .action(async (options: Options) => {
      const limits = limitsOf(environment, options.timeout);
      const partition = partitionOf(options);
      const client = await requireDaemon(options, environment);
      if (!options.yes) {
        const { secondaries } = await withinLimits(
          limits,
          'the status was read',
          client.status(partition, limits.stop),
        );
        const what = `empties partition ${partition}, which has ${secondaries.length} Secondaries`;
        await askFirst(what, environment);
      }
      const draining = client.drain(partition, limits.stop);
      const message = await withinLimits(limits, 'unnestd was asked', draining);
      environment.stdout.write(`${printable(message)}\n`);
      exit(exitCodes.ok);
    });
}
