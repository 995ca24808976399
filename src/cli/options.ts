/** The options that most commands share, and what they mean. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type PartitionName,
  partitionName,
  type SecondaryName,
  secondaryName,
} from '../model/names.ts';
import type { PlanOptions } from '../plan/plan.ts';
import { noWishes } from '../plan/wishes.ts';
import type { Environment, Target } from './environment.ts';
import { usageError } from './command-error.ts';

export interface HostOptions {
  readonly host: string;
  readonly stateDir: string;
  readonly partition: string;
  readonly timeout?: number;
}

const defaultUri = 'qemu:///system';
const defaultStateDir = '/var/lib/unnest';

/** An empty variable is one that is not set. */
function setTo({ variables }: Environment, name: string): string | undefined {
  const value = variables.get(name);
  return value === '' ? undefined : value;
}

export function partitionOption(environment: Environment): Option {
  const fallback = setTo(environment, 'UNNEST_PARTITION') ?? 'default';
  return new Option('-p, --partition <name>', 'the partition that is meant').default(fallback);
}

export function withHostOptions(command: Command, environment: Environment): Command {
  return command
    .addOption(partitionOption(environment))
    .addOption(
      new Option(
        '--host <uri>',
        'libvirt URI, such as qemu:///system?socket=/run/x, or sim:FILE',
      ).default(setTo(environment, 'UNNEST_HOST') ?? defaultUri),
    )
    .addOption(
      new Option('--state-dir <path>', "unnest's own directory on the host").default(
        setTo(environment, 'UNNEST_STATE_DIR') ?? defaultStateDir,
      ),
    )
    .addOption(timeoutOption());
}

export function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'stop, in good order, after this time').argParser(
    seconds,
  );
}

export function withDocuments(command: Command): Command {
  return command.option(
    '-f, --file <path...>',
    'documents: a file, a directory of .yaml files, or - for standard input',
  );
}

export function outputOption(...formats: readonly string[]): Option {
  return new Option('-o, --output <format>', 'how to print').choices(formats).default(formats[0]);
}

export interface GuardOptions {
  readonly deleteEverything?: boolean;
  readonly maxDeletions: number;
}

/** Enough for a day's work, too few for an accident with a whole directory. */
const deletionsMaxDefault = 10;

export function withGuardOptions(command: Command): Command {
  return command
    .option('--delete-everything', 'allow a plan that deletes all that is there')
    .addOption(
      new Option(
        '--max-deletions <count>',
        'the most Secondaries, Volumes and Images that one plan may delete',
      )
        .argParser(count)
        .default(deletionsMaxDefault),
    );
}

/** For a desired state that comes from documents. */
export function planOptionsOf(options: GuardOptions): PlanOptions {
  return {
    ...noWishes,
    deleteEverything: options.deleteEverything ?? false,
    deletionsMax: options.maxDeletions,
    deletionReason: 'not-in-documents',
    deletionGraceMs: null,
  };
}

export function targetOf(options: HostOptions): Target {
  return {
    uri: options.host,
    // libvirt resolves paths from its own directory, not from ours.
    stateDir: resolve(options.stateDir),
    partition: requirePartition(options.partition),
  };
}

/** The partition that was named; null where nobody did, so that a document may. */
export function partitionGiven(command: Command, { variables }: Environment): PartitionName | null {
  const { partition } = command.opts<{ readonly partition: string }>();
  const said =
    command.getOptionValueSource('partition') === 'cli' || variables.has('UNNEST_PARTITION');
  return said ? requirePartition(partition) : null;
}

export function requireSecondary(text: string): SecondaryName {
  const name = secondaryName(text);
  if (name !== undefined) return name;
  throw usageError(`"${text}" is not the name of a Secondary`);
}

export function requirePartition(text: string): PartitionName {
  const name = partitionName(text);
  if (name !== undefined) return name;
  throw usageError(
    `"${text}" is not the name of a partition`,
    'use 1 to 32 lower-case letters, digits and "-", starting with a letter',
  );
}

function count(text: string): number {
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number, from 0 to 999999');
}

export function wholeSeconds(text: string): number {
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected whole seconds, from 0 to 999999');
}

export function wholePort(text: string): number {
  if (/^[0-9]{1,10}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('expected the number of a port');
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^[0-9]{1,6}$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('expected whole seconds, from 1 to 999999');
}
