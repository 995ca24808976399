/** `unnest apply`: make the host as the documents say. */
import { Command } from 'commander';
import type { Host } from '../../host/ports.ts';
import type { DesiredState } from '../../model/secondary.ts';
import type { Plan } from '../../plan/plan.ts';
import { type ApplyOptions, applyThrough } from '../apply-through.ts';
import { carryOut } from '../carry-out.ts';
import { CommandError, usageError } from '../command-error.ts';
import { daemonFor, type SocketOptions, socketOption } from '../daemon.ts';
import type { Environment, Target } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import {
  outputOption,
  planOptionsOf,
  targetOf,
  withDocuments,
  withGuardOptions,
  withHostOptions,
} from '../options.ts';
import { checkStillTrue, type Limits, limitsOf, planFor } from '../pass.ts';
import { refuseKept } from '../place.ts';
import { readBytes } from '../read-bytes.ts';
import { readDesiredState } from '../read-documents.ts';
import { readSavedPlan } from '../saved-plan.ts';
import { using } from '../using.ts';
import { whileLocked } from '../while-locked.ts';

type Options = ApplyOptions & SocketOptions;

export function applyCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(withGuardOptions(withDocuments(new Command('apply'))), environment)
    .description('make the host as the documents say; what they do not name is deleted')
    .addOption(outputOption('text', 'json'))
    .option('--plan <file>', 'carry out this plan, made by `plan --out`, and only this')
    .option('-y, --yes', 'do not ask before a guest is restarted or deleted')
    .option('--no-wait', 'through unnestd: do not wait until it is done')
    .addOption(socketOption(environment))
    .action(async (options: Options, command: Command) => {
      const client = await daemonFor(command, options, environment);
      exit(
        client === null
          ? await runApply(options, command, environment)
          : await applyThrough(client, options, command, environment),
      );
    });
}

async function runApply(
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const target = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  await refuseKept(command, target, environment, limits);
  const planning = await planner(options, target, environment, limits);
  return whileLocked(environment.lock(target), () =>
    using(environment.openHost, target, limits, async (host) => {
      const { plan, seedContents } = await planning(host);
      const { output, yes = false } = options;
      return carryOut(plan, host, { output, yes, seedContents }, environment, limits);
    }),
  );
}

/** From documents a plan is made; one from a file is carried out as it is, or refused. */
async function planner(
  options: Options,
  target: Target,
  environment: Environment,
  limits: Limits,
): Promise<(host: Host) => Promise<Planned>> {
  const { file = [], plan: path } = options;
  // No daemon is asked here, so that the documents say it all.
  const place = { ...target, operators: null };
  const read = () => readDesiredState(file, place, environment, limits);
  if (path === undefined) {
    const desired = await read();
    const { seedContents } = desired;
    const planOptions = planOptionsOf(options);
    return async (host) => {
      const { plan } = await planFor(host, desired, planOptions, environment, limits);
      return { plan, seedContents };
    };
  }
  const saved = readSavedPlan(await readText(path, limits), path, target.partition);
  const seedContents = await contentsFor(saved.plan, path, file.length > 0 ? read : null);
  return async (host) => {
    await checkStillTrue(host, saved, environment, limits);
    return { plan: saved.plan, seedContents };
  };
}

interface Planned {
  readonly plan: Plan;
  readonly seedContents: DesiredState['seedContents'];
}

/** A plan in a file holds no secrets: what seeds it makes hold, its documents say. */
async function contentsFor(
  { operations }: Plan,
  path: string,
  read: (() => Promise<DesiredState>) | null,
): Promise<DesiredState['seedContents']> {
  const seeds = operations.flatMap((each) => (each.kind === 'seed.create' ? [each.seed] : []));
  const [first] = seeds;
  if (first === undefined) {
    if (read === null) return new Map();
    throw usageError('both documents and --plan were given');
  }
  if (read === null) {
    const message = `${path} makes ${seeds.length} seeds for a first boot, and does not hold what is in them`;
    throw usageError(message, 'give the documents that it was made from as well, by -f');
  }
  const { seedContents } = await read();
  const missing = seeds.find(({ name }) => !seedContents.has(name));
  if (missing === undefined) return seedContents;
  const message = `the documents do not hold seed ${missing.name} of ${path}`;
  throw new CommandError(exitCodes.conflict, message, { remedy: 'make the plan anew' });
}

/** Far above any honest one: a plan to make one Secondary takes some 3 KB. */
const planBytesMax = 200 * 2 ** 20;

async function readText(path: string, limits: Limits): Promise<string> {
  const bytes = await readBytes(path, planBytesMax + 1, limits);
  if (bytes.length <= planBytesMax) return new TextDecoder().decode(bytes);
  throw new CommandError(exitCodes.validation, `${path} is larger than any plan`);
}
