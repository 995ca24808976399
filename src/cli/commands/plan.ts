/** `unnest plan`: what `apply` would do, and why. It gets a view of the host, which cannot write. */
import { Command } from 'commander';
import { summarise } from '../../plan/summary.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
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
import { paintFor } from '../render/paint.ts';
import { renderPlan } from '../render/plan.ts';
import { planJson } from '../render/plan-json.ts';
import { using } from '../using.ts';

interface Options extends HostOptions, GuardOptions {
  readonly file?: readonly string[];
  readonly output: 'text' | 'json';
  readonly detailedExitcode?: boolean;
}

export function planCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(withGuardOptions(withDocuments(new Command('plan'))), environment)
    .description('show what apply would do, field by field, and why; changes nothing')
    .addOption(outputOption('text', 'json'))
    .option('--detailed-exitcode', 'exit with 2 if there are changes')
    .action(async (options: Options) => {
      exit(await runPlan(options, environment));
    });
}

async function runPlan(options: Options, environment: Environment): Promise<ExitCode> {
  const target = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  const desired = await readDesiredState(options.file ?? [], target.partition, environment);
  const plan = await using(environment.openView, target, limits, (host) =>
    planFor(host, desired, planOptionsOf(options), environment, limits),
  );
  const { stdout, variables } = environment;
  const text =
    options.output === 'json'
      ? `${JSON.stringify(planJson(plan), null, 2)}\n`
      : renderPlan(plan, paintFor(stdout, variables));
  stdout.write(text);
  const { blocked } = summarise(plan);
  if (blocked > 0) return exitCodes.partial;
  return options.detailedExitcode && plan.operations.length > 0 ? exitCodes.changes : exitCodes.ok;
}
