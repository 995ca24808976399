/**
 * `unnest apply` where unnestd runs: the daemon decides and does; here the documents are read, what
 * is wrong with them is shown, and whoever would lose a guest is asked, as without a daemon.
 */
import type { Command } from 'commander';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import { parseBeside } from '../documents/desired-state.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { SourceFile } from '../documents/source.ts';
import { explainError, HostError } from '../host/host-error.ts';
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import type { PlanEntry } from '../plan/entry.ts';
import type { Plan } from '../plan/plan.ts';
import { consent } from './carry-out.ts';
import { type CommandError, usageError } from './command-error.ts';
import { withinLimits } from './daemon.ts';
import type { Environment } from './environment.ts';
import type { ExitCode } from './exit-codes.ts';
import { planInPrimary, submissionOf, withDiagnostics } from './in-primary.ts';
import { type GuardOptions, type HostOptions, planOptionsOf, targetOf } from './options.ts';
import { type Limits, limitsOf, planFor } from './pass.ts';
import { targetFor } from './place.ts';
import { readFiles, refused } from './read-documents.ts';
import { nameOf } from './render/outcomes.ts';
import { paintFor } from './render/paint.ts';
import { renderPlan } from './render/plan.ts';
import { hand } from './submit.ts';
import { unfitIn, warnUnfit } from './unfit.ts';
import { using } from './using.ts';

export interface ApplyOptions extends HostOptions, GuardOptions {
  readonly file?: readonly string[];
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
  readonly plan?: string;
  readonly wait: boolean;
}

export async function applyThrough(
  client: DaemonClient,
  options: ApplyOptions,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const { partition } = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  if (options.plan !== undefined) {
    const remedy = 'give the documents with -f; saved plans are for --host, without unnestd';
    throw usageError('unnestd makes its own plans and takes none', remedy);
  }
  const files = await readFiles(options.file ?? [], environment, limits);
  const inPrimary = (await client.own(limits.stop)) !== null;
  const operators = await descriptionOf(client, partition, limits);
  const desired = desiredIn(files, partition, operators, environment);
  const submission = submissionOf(files, options, command);
  const planning = () =>
    inPrimary
      ? planInPrimary(client, partition, submission, environment, limits)
      : planHere(desired, options, command, environment, limits);
  const ifGeneration = options.yes
    ? null
    : await agreed(client, desired, planning, options, environment, limits);
  const give = async (stop: AbortSignal) => {
    try {
      return await client.submit(partition, { ...submission, ifGeneration }, stop);
    } catch (error) {
      throw withDiagnostics(error, environment);
    }
  };
  const { wait, output } = options;
  return hand({ client, partition, give, wait, output }, environment, limits);
}

/** Null: an older daemon does not tell, and one that knows no such partition says so when it is asked. */
async function descriptionOf(
  client: DaemonClient,
  partition: PartitionName,
  limits: Limits,
): Promise<PlainDocument | null> {
  try {
    return await client.description(partition, limits.stop);
  } catch (error) {
    if (error instanceof DaemonError && toldLater.has(error.code)) return null;
    throw error;
  }
}

const toldLater: ReadonlySet<string> = new Set(['NotFound', 'NoPartition']);

/** Mistakes are shown with the line and a caret, before anything is sent. */
function desiredIn(
  files: readonly SourceFile[],
  partition: PartitionName,
  operators: PlainDocument | null,
  environment: Environment,
): DesiredState {
  const parsed = parseBeside(files, partition, operators);
  if (parsed.ok) return parsed.desired;
  throw refused(parsed.diagnostics, environment);
}

/** @returns the generation that the plan that was agreed to would replace; null: there is none */
async function agreed(
  client: DaemonClient,
  desired: DesiredState,
  planning: () => Promise<Plan>,
  options: ApplyOptions,
  environment: Environment,
  limits: Limits,
): Promise<number | null> {
  const reading = client.status(desired.partition, limits.stop);
  const status = await withinLimits(limits, 'the status was read', reading);
  const plan = await planning();
  const stranger = strangerIn(plan, status);
  if (stranger !== null) {
    const why = `unnestd knows ${stranger}, and here it is not seen as one of this partition`;
    throw notSeen(`${why} (is its state directory another one? --state-dir)`);
  }
  const { generation } = status;
  const { output } = options;
  const { stdout, variables } = environment;
  if (output === 'text') stdout.write(renderPlan(plan, paintFor(stdout, variables)));
  warnUnfit(unfitIn(status), environment);
  await consent(plan, output, environment);
  return generation === 0 ? null : generation;
}

/** Whom the daemon has on the host, and we do not see there as ours; null: nobody. */
function strangerIn({ entries }: Plan, { secondaries }: PartitionStatus): string | null {
  const known = new Set<string>(
    entries
      .filter((entry) => entry.resource.kind === 'secondary' && !isForeign(entry))
      .map(({ resource }) => resource.name),
  );
  return secondaries.find(({ name, uuid }) => uuid !== null && !known.has(name))?.name ?? null;
}

function isForeign(entry: PlanEntry): boolean {
  if (entry.kind === 'blocked') return foreignCodes.has(entry.block.code);
  return entry.kind === 'create';
}

const foreignCodes: ReadonlySet<string> = new Set(['NameTaken', 'MarkMismatch']);

/**
 * With a view of the host, which cannot write. The daemon makes a plan of its own in the end, for
 * what it knows by then; what cannot be seen from here nobody can agree to.
 */
async function planHere(
  desired: DesiredState,
  options: ApplyOptions,
  command: Command,
  environment: Environment,
  limits: Limits,
): Promise<Plan> {
  try {
    const target = await targetFor(command, options, environment, limits);
    const { plan } = await using(environment.openView, target, limits, (host) =>
      planFor(host, desired, planOptionsOf(options), environment, limits),
    );
    const unseen = plan.entries.find(isUnseen);
    if (unseen === undefined) return plan;
    throw notSeen(`${nameOf(unseen.resource)}: ${unseen.block.message}`);
  } catch (error) {
    if (!(error instanceof HostError) || limits.stop.aborted) throw error;
    throw notSeen(explainError(error));
  }
}

const isUnseen = (entry: PlanEntry): entry is Extract<PlanEntry, { kind: 'blocked' }> =>
  entry.kind === 'blocked' && entry.block.code === 'HostUnknown';

function notSeen(why: string): CommandError {
  return usageError(
    `what this would restart or delete cannot be seen from here: ${why}`,
    'say --yes if it is meant in any case',
  );
}
