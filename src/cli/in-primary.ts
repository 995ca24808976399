/**
 * Whether a command runs in a Primary. There the host cannot be looked at: what would be planned, and
 * what is so, unnestd says through the agent, in the words that it has on the host too.
 */
import type { Command } from 'commander';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import type { PlanMessage } from '../channel/messages.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { Plan } from '../plan/plan.ts';
import { CommandError } from './command-error.ts';
import { daemonBeside } from './daemon-beside.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import type { GuardOptions } from './options.ts';
import type { Limits } from './pass.ts';
import { refused } from './read-documents.ts';

/**
 * Null: it does not, or a host is named to work on.
 * @throws DaemonError where there is an agent that does not answer, or cannot reach unnestd
 */
export async function clientInPrimary(
  command: Command,
  environment: Environment,
  limits: Limits,
): Promise<DaemonClient | null> {
  const beside = await daemonBeside(command, environment, limits);
  return beside === null || beside.about.partition === null ? null : beside.client;
}

/** @throws CommandError where it runs in a Primary. @param instead what can be done there */
export async function refuseInPrimary(
  command: Command,
  environment: Environment,
  limits: Limits,
  instead: string,
): Promise<void> {
  if ((await clientInPrimary(command, environment, limits)) === null) return;
  const message = 'this needs the host, which nobody in a Primary can look at';
  throw new CommandError(exitCodes.usage, message, { remedy: instead });
}

/** As it is handed to unnestd. @param command whose options tell who said what */
export function submissionOf(
  files: readonly SourceFile[],
  options: GuardOptions,
  command: Command,
): PlanMessage {
  return {
    files: files.map(({ path, text }) => ({ path, text })),
    deleteEverything: options.deleteEverything ?? false,
    // The daemon has a bound of its own, which only somebody who says so goes over or under.
    deletionsMax:
      command.getOptionValueSource('maxDeletions') === 'cli' ? options.maxDeletions : null,
  };
}

/** What the host would do about these documents, as it would plan it now. */
export async function planInPrimary(
  client: DaemonClient,
  partition: PartitionName,
  submission: PlanMessage,
  environment: Environment,
  { stop }: Limits,
): Promise<Plan> {
  try {
    return (await client.plan(partition, submission, stop)).plan;
  } catch (error) {
    throw withDiagnostics(error, environment);
  }
}

/** Mistakes in documents that only the host has found are shown as those that are found here. */
export function withDiagnostics(error: unknown, environment: Environment): unknown {
  if (!(error instanceof DaemonError) || error.diagnostics.length === 0) return error;
  return refused(error.diagnostics, environment);
}
