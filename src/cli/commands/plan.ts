/** `unnest plan`: what `apply` would do, and why. It gets a view of the host, which cannot write. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { summarise } from '../../plan/summary.ts';
import type { DaemonClient } from '../../channel/client.ts';
import type { Plan } from '../../plan/plan.ts';
import { CommandError, usageError } from '../command-error.ts';
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
import { clientInPrimary, planInPrimary, submissionOf } from '../in-primary.ts';
import { type Limits, limitsOf, planFor } from '../pass.ts';
import { placeFor } from '../place.ts';
import { readDesiredState, readFiles } from '../read-documents.ts';
import { paintFor } from '../render/paint.ts';
import { renderPlan } from '../render/plan.ts';
import { planJson } from '../render/plan-json.ts';
import { type SavedPlan, writeSavedPlan } from '../saved-plan.ts';
import { unfitIn, warnUnfit } from '../unfit.ts';
import { using } from '../using.ts';

interface Options extends HostOptions, GuardOptions {
  readonly file?: readonly string[];
  readonly output: 'text' | 'json';
  readonly detailedExitcode?: boolean;
  readonly out?: string;
}

export function planCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(withGuardOptions(withDocuments(new Command('plan'))), environment)
    .description('show what apply would do, field by field, and why; changes nothing')
    .addOption(outputOption('text', 'json'))
    .option('--out <file>', 'also write the plan to a file, for `apply --plan`')
    .option('--detailed-exitcode', 'exit with 2 if there are changes')
    .action(async (options: Options, command: Command) => {
      exit(await runPlan(options, command, environment));
    });
}

async function runPlan(
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const limits = limitsOf(environment, options.timeout);
  const client = await clientInPrimary(command, environment, limits);
  const { plan, unfit } =
    client === null
      ? await planHere(options, command, environment, limits)
      : await planThere(client, options, command, environment, limits);
  const { stdout, variables } = environment;
  const text =
    options.output === 'json'
      ? `${JSON.stringify(planJson(plan), null, 2)}\n`
      : renderPlan(plan, paintFor(stdout, variables));
  stdout.write(text);
  warnUnfit(unfit, environment);
  const { blocked } = summarise(plan);
  if (blocked > 0 || unfit !== null) return exitCodes.partial;
  return options.detailedExitcode && plan.operations.length > 0 ? exitCodes.changes : exitCodes.ok;
}

interface Made {
  readonly plan: Plan;
  readonly unfit: string | null;
}

async function planHere(
  options: Options,
  command: Command,
  environment: Environment,
  limits: Limits,
): Promise<Made> {
  const target = await placeFor(command, options, environment, limits);
  const desired = await readDesiredState(options.file ?? [], target, environment, limits);
  const saved = await using(environment.openView, target, limits, (host) =>
    planFor(host, desired, planOptionsOf(options), environment, limits),
  );
  if (options.out !== undefined) await save(options.out, saved);
  return { plan: saved.plan, unfit: target.unfit };
}

/** By unnestd, in whose hands it is to carry it out. */
async function planThere(
  client: DaemonClient,
  options: Options,
  command: Command,
  environment: Environment,
  limits: Limits,
): Promise<Made> {
  if (options.out !== undefined) {
    throw usageError('unnestd makes its own plans and takes none', 'leave out --out');
  }
  const { partition } = targetOf(options);
  const files = await readFiles(options.file ?? [], environment, limits);
  const submission = submissionOf(files, options, command);
  const plan = await planInPrimary(client, partition, submission, environment, limits);
  return { plan, unfit: unfitIn(await client.status(partition, limits.stop)) };
}

async function save(path: string, saved: SavedPlan): Promise<void> {
  try {
    await writeFile(path, writeSavedPlan(saved));
  } catch (cause) {
    throw new CommandError(exitCodes.usage, `cannot write ${path}`, { cause });
  }
}
