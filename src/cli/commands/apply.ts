/** `unnest apply`: make the host as the documents say. */
import { Command } from 'commander';
import { carryOut } from '../carry-out.ts';
import type { Environment } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import {
  type GuardOptions,
  type HostOptions,
  outputOption,
  planOptionsOf,
  targetOf,
  withDocuments,
  withGuardOptions,
  withHostOptions,
} from '../options.ts';
import { limitsOf, planFor } from '../pass.ts';
import { readDesiredState } from '../read-documents.ts';
import { using } from '../using.ts';
import { whileLocked } from '../while-locked.ts';

interface Options extends HostOptions, GuardOptions {
  readonly file?: readonly string[];
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
}

export function applyCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(withGuardOptions(withDocuments(new Command('apply'))), environment)
    .description('make the host as the documents say; what they do not name is deleted')
    .addOption(outputOption('text', 'json'))
    .option('-y, --yes', 'do not ask before a guest is restarted or deleted')
    .action(async (options: Options) => {
      exit(await runApply(options, environment));
    });
}

async function runApply(options: Options, environment: Environment): Promise<ExitCode> {
  const target = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  const desired = await readDesiredState(options.file ?? [], target.partition, environment);
  return whileLocked(environment.lock(target), () =>
    using(environment.openHost, target, limits, async (host) => {
      const planOptions = planOptionsOf(options);
      const plan = await planFor(host, desired, planOptions, environment, limits);
      const { output, yes = false } = options;
      return carryOut(plan, host, { output, yes }, environment, limits);
    }),
  );
}
