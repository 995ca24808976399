/**
 * `unnest wait`: until Secondaries are as somebody needs them, or the documents are what is there. A
 * time-out says what was waited for and what is true now; nothing is given up by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { HostView } from '../../host/ports.ts';
import { HostError } from '../../host/host-error.ts';
import type { DesiredState } from '../../model/secondary.ts';
import { summarise } from '../../plan/summary.ts';
import { usageError } from '../command-error.ts';
import { daemonFor, type SocketOptions, socketOption } from '../daemon.ts';
import type { Environment, Target } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import {
  type HostOptions,
  planOptionsOf,
  targetOf,
  withDocuments,
  withHostOptions,
} from '../options.ts';
import { nothingWanted } from '../../observe/wanted.ts';
import { endedEarly, type Limits, limitsOf, observeHost, planFor } from '../pass.ts';
import { type Place, placeFor } from '../place.ts';
import { readDesiredState } from '../read-documents.ts';
import { statusOf, type StatusWord } from '../status.ts';
import { using } from '../using.ts';
import { type DaemonGoal, daemonGoals, waitThrough } from '../wait-through.ts';

/** Without unnestd nobody knows whether a guest is ready. */
type Goal = Exclude<DaemonGoal, 'ready'>;

interface Options extends HostOptions, SocketOptions {
  readonly file?: readonly string[];
  readonly for: DaemonGoal;
}

type HostWait = Options & { readonly for: Goal };

export function waitCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(withDocuments(new Command('wait')), environment)
    .description(
      'wait until Secondaries run, are ready, have stopped or are gone, or all is synced',
    )
    .argument('[name...]', 'which ones; through unnestd, none means all')
    .addOption(
      new Option('--for <goal>', 'what to wait for').choices([...daemonGoals]).default('running'),
    )
    .addOption(socketOption(environment))
    .action(async (names: readonly string[], options: Options, command: Command) => {
      exit(await runWait(names, options, command, environment));
    });
}

/** Whoever gives documents wants them compared with the host, by unnest itself. */
async function runWait(
  names: readonly string[],
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const { for: goal, file } = options;
  const client = file === undefined ? await daemonFor(command, options, environment) : null;
  if (client !== null) {
    const { partition } = targetOf(options);
    await waitThrough(client, { partition, names, goal }, limitsOf(environment, options.timeout));
    return exitCodes.ok;
  }
  if (goal !== 'ready') {
    return waitOnHost(names, { ...options, for: goal }, command, environment);
  }
  throw usageError('only unnestd knows whether a guest is ready', 'without it: --for running');
}

/** Null once it is so; otherwise what is true now. */
type Look = (host: HostView) => Promise<string | null>;

async function waitOnHost(
  names: readonly string[],
  options: HostWait,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const limits = limitsOf(environment, options.timeout);
  const target = await placeFor(command, options, environment, limits);
  const look = await lookFor(names, options, target, environment, limits);
  const left = await using(environment.openView, target, limits, (host) =>
    untilSo(host, look, options.for, limits),
  );
  if (left === null) return exitCodes.ok;
  const waited = `waiting for ${[...names, options.for].join(' ')}`;
  if (!limits.timedOut()) throw endedEarly(limits, waited);
  throw new HostError('Timeout', `the time that --timeout gives was over while ${waited}: ${left}`);
}

const lookEveryMs = 500;

/** @returns what was true when the time was over; null: it is so */
async function untilSo(
  host: HostView,
  look: Look,
  goal: Goal,
  { stop }: Limits,
): Promise<string | null> {
  let last = `nothing was seen before it could be ${goal}`;
  for (;;) {
    try {
      const now = await look(host);
      if (now === null) return null;
      last = now;
      await sleep(lookEveryMs, undefined, { signal: stop });
    } catch (error) {
      if (stop.aborted) return last;
      throw error;
    }
  }
}

async function lookFor(
  names: readonly string[],
  { file, for: goal }: HostWait,
  target: Place,
  environment: Environment,
  limits: Limits,
): Promise<Look> {
  if (goal !== 'synced') {
    if (names.length === 0) throw usageError('nothing was named', `say who is to be ${goal}`);
    if (file !== undefined) throw usageError(`documents are for --for synced, not for ${goal}`);
    return (host) => lookAt(names, goal, host, target, environment, limits);
  }
  if (names.length > 0) throw usageError('names do not go with --for synced', 'give documents: -f');
  const desired = await readDesiredState(file ?? [], target, environment, limits);
  return (host) => lookAtPlan(desired, host, environment, limits);
}

const words: { readonly [G in Exclude<Goal, 'deleted' | 'synced'>]: readonly StatusWord[] } = {
  running: ['Running'],
  stopped: ['Stopped', 'Crashed'],
};

async function lookAt(
  names: readonly string[],
  goal: Exclude<Goal, 'synced'>,
  host: HostView,
  { partition }: Target,
  environment: Environment,
  limits: Limits,
): Promise<string | null> {
  const observed = await observeHost(host, partition, nothingWanted, environment, limits);
  const all = new Map<string, StatusWord>(
    statusOf(observed).map(({ name, status }) => [name, status]),
  );
  const wanting = names.filter((name) => {
    const status = all.get(name);
    if (goal === 'deleted') return status !== undefined;
    return status === undefined || !words[goal].includes(status);
  });
  if (wanting.length === 0) return null;
  return wanting.map((name) => `${name} is ${all.get(name) ?? 'not there'}`).join(', ');
}

/** All that the documents ask for is so, what waits for a restart included. */
async function lookAtPlan(
  desired: DesiredState,
  host: HostView,
  environment: Environment,
  limits: Limits,
): Promise<string | null> {
  const options = planOptionsOf({ maxDeletions: Number.MAX_SAFE_INTEGER, deleteEverything: true });
  const { plan } = await planFor(host, desired, options, environment, limits);
  const summary = summarise(plan);
  const left = (['create', 'update', 'delete', 'blocked', 'waiting'] as const)
    .filter((key) => summary[key] > 0)
    .map((key) => `${summary[key]} ${leftWords[key]}`);
  return left.length === 0 ? null : left.join(', ');
}

const leftWords = {
  create: 'to create',
  update: 'to update',
  delete: 'to delete',
  blocked: 'blocked',
  waiting: 'waiting for a restart',
} as const;
