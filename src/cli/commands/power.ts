/** `unnest start`, `stop` and `restart`: once, by hand; what the documents say stays as it is. */
import { Command } from 'commander';
import { DaemonError } from '../../channel/daemon-error.ts';
import type { PowerAction } from '../../channel/control.ts';
import { explainError } from '../../host/host-error.ts';
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
import { paintFor, printable } from '../render/paint.ts';

const descriptions: { readonly [A in PowerAction]: string } = {
  start: 'start Secondaries once, also those that have finished or are Manual',
  stop: 'shut Secondaries down that are Manual; of others runPolicy: Halted says it',
  restart: 'restart Secondaries; changes that wait for the next start take effect',
};

export function powerCommand(
  action: PowerAction,
  environment: Environment,
  exit: (code: ExitCode) => void,
): Command {
  return withDaemonOptions(new Command(action), environment)
    .description(descriptions[action])
    .argument('<name...>', 'which ones')
    .action(async (names: readonly string[], options: DaemonOptions) => {
      exit(await runPower(action, names, options, environment));
    });
}

/** What one refuses is no reason not to ask the others. */
async function runPower(
  action: PowerAction,
  names: readonly string[],
  options: DaemonOptions,
  environment: Environment,
): Promise<ExitCode> {
  const secondaries = names.map(requireSecondary);
  const { stdout, stderr, variables } = environment;
  const limits = limitsOf(environment, options.timeout);
  const partition = partitionOf(options);
  const client = await requireDaemon(options, environment);
  let refused = 0;
  for (const name of secondaries) {
    try {
      const asking = client.power(partition, name, action, limits.stop);
      const message = await withinLimits(limits, `unnestd was asked to ${action} ${name}`, asking);
      stdout.write(`${printable(message)}\n`);
    } catch (error) {
      if (!(error instanceof DaemonError) || names.length === 1) throw error;
      refused += 1;
      const words = explainError(error);
      const named = words.startsWith(`${name}: `) ? words : `${name}: ${words}`;
      stderr.write(`${paintFor(stderr, variables).red('error')}: ${printable(named)}\n`);
    }
  }
  return refused > 0 ? exitCodes.partial : exitCodes.ok;
}
