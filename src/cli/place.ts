/**
 * Where a command finds the host when it goes there by itself. Where unnestd answers, it is the one to
 * say: with another state directory than the daemon's the host would seem to hold nothing of ours.
 * Whoever says `--host` (or UNNEST_HOST) has no daemon in mind, and gets what they say.
 */
import type { Command } from 'commander';
import { DaemonError } from '../channel/daemon-error.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import { CommandError } from './command-error.ts';
import { type Beside, daemonBeside } from './daemon-beside.ts';
import type { Environment, Target } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import { type HostOptions, targetOf } from './options.ts';
import type { Limits } from './pass.ts';
import { saidOf } from './said-where.ts';
import { unfitIn } from './unfit.ts';

/** Where the host is, and what the operator says of the partition there, as far as unnestd tells. */
export interface Place extends Target {
  /** Null: no daemon says so, or it knows of no such partition. */
  readonly operators: PlainDocument | null;
  /** Why unnestd does nothing there, whatever is planned; null: it does, or none says so. */
  readonly unfit: string | null;
}

/** For commands that only look; each of host and state directory as it was said, or as unnestd has it. */
export async function targetFor(
  command: Command,
  options: HostOptions,
  environment: Environment,
  limits: Limits,
): Promise<Target> {
  const said = await daemonBeside(command, environment, limits);
  return targetBeside(said, command, options, environment);
}

/** For those of them that read documents. */
export async function placeFor(
  command: Command,
  options: HostOptions,
  environment: Environment,
  limits: Limits,
): Promise<Place> {
  const said = await daemonBeside(command, environment, limits);
  const target = targetBeside(said, command, options, environment);
  if (said === null) return { ...target, operators: null, unfit: null };
  const { client, soon } = said;
  // An older daemon does not tell, and of a partition that it does not know there is nothing to.
  const [operators, status] = await Promise.all([
    unlessRefused(() => client.description(target.partition, soon)),
    unlessRefused(() => client.status(target.partition, soon)),
  ]);
  return { ...target, operators, unfit: status === null ? null : unfitIn(status) };
}

function targetBeside(
  said: Beside | null,
  command: Command,
  options: HostOptions,
  environment: Environment,
): Target {
  const target = targetOf(options);
  const stateDirSaid = saidOf(command, 'stateDir', environment) !== 'nothing';
  return {
    ...target,
    uri: said?.about.host ?? target.uri,
    stateDir: stateDirSaid ? target.stateDir : (said?.about.stateDir ?? target.stateDir),
    thinPool: said?.about.thinPool ?? null,
  };
}

async function unlessRefused<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DaemonError) return null;
    throw error;
  }
}

/**
 * For commands that change something without going through a daemon: what they did would be undone
 * when it comes back.
 * @throws CommandError `conflict`
 */
export async function refuseKept(
  command: Command,
  { uri, stateDir, partition }: Target,
  environment: Environment,
  limits: Limits,
): Promise<void> {
  if (saidOf(command, 'host', environment) !== 'nothing') return;
  // One that answers and has not the partition has no more to do with it.
  if ((await daemonBeside(command, environment, limits)) !== null) return;
  if (!(await environment.isKept(stateDir, partition))) return;
  throw new CommandError(
    exitCodes.conflict,
    `unnestd keeps partition ${partition} and does not answer`,
    { remedy: `start it (\`systemctl start unnestd\`), or say --host ${uri} if it is meant` },
  );
}
