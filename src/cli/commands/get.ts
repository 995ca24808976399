/** `unnest get`: the Secondaries of a partition as they are now. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Observed } from '../../model/domain.ts';
import { HostError } from '../../host/host-error.ts';
import { parseColumns } from '../columns.ts';
import { usageError } from '../command-error.ts';
import { daemonFor, type SocketOptions, socketOption } from '../daemon.ts';
import type { Environment, Target } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { eachLookAtHost, eachStatus } from '../get-secondaries.ts';
import { type HostOptions, targetOf, withHostOptions } from '../options.ts';
import { parseBeside } from '../../documents/desired-state.ts';
import { refuseInPrimary } from '../in-primary.ts';
import { RESOURCE_KINDS, type ResourceKind } from '../../model/resource.ts';
import { nothingWanted, type Wanted, wantedBy } from '../../observe/wanted.ts';
import { type Limits, limitsOf, observeHost } from '../pass.ts';
import { placeFor, targetFor } from '../place.ts';
import { type Output, renderResources } from '../render/resources.ts';
import { renderChanges, renderSecondaries } from '../render/secondary-rows.ts';
import { type OtherKind, rowsOf, unlistedOf } from '../resource-rows.ts';
import type { SecondaryRow, SecondaryRows } from '../secondary-rows.ts';
import { parseSelector, type Selector } from '../selector.ts';
import { using } from '../using.ts';

interface Options extends HostOptions, SocketOptions {
  readonly kind: Plural;
  readonly output: Output;
  readonly selector?: Selector;
  readonly watch?: boolean;
}

export function getCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('get'), environment)
    .description('show the Secondaries of a partition, or what else it has, as they are now')
    .argument('[name...]', 'which ones; all if none is named')
    .addOption(
      new Option(
        '-o, --output <format>',
        'table, wide, json, yaml, name, or custom-columns=TITLE:.path,...',
      )
        .argParser(parseOutput)
        .default('table'),
    )
    .addOption(
      new Option('--kind <kind>', 'what to show')
        .choices(Object.values(plurals))
        .default('secondaries'),
    )
    .addOption(
      new Option(
        '-l, --selector <labels>',
        'only those with these labels, such as app=web,!old',
      ).argParser(parseSelector),
    )
    .option('-w, --watch', 'print Secondaries again when they change, until Ctrl-C')
    .addOption(socketOption(environment))
    .action(async (names: readonly string[], options: Options, command: Command) => {
      exit(await runGet(names, options, command, environment));
    });
}

const plurals = {
  secondary: 'secondaries',
  volume: 'volumes',
  'image-disk': 'image-disks',
  intake: 'intakes',
  image: 'images',
  seed: 'seeds',
  network: 'networks',
  filter: 'filters',
  slice: 'slices',
  primary: 'primaries',
  nic: 'nics',
} as const satisfies { readonly [K in ResourceKind]: string };
type Plural = (typeof plurals)[ResourceKind];

async function runGet(
  names: readonly string[],
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const limits = limitsOf(environment, options.timeout);
  const kind = RESOURCE_KINDS.find((each) => plurals[each] === options.kind) ?? 'secondary';
  const target = targetOf(options);
  if (kind !== 'secondary') {
    if (options.watch) throw usageError('only Secondaries can be watched');
    const instead = '`unnest status` says what there is besides Secondaries';
    await refuseInPrimary(command, environment, limits, instead);
    const { place, wanted } = await otherPlace(kind, options, command, environment, limits);
    const observed = await using(environment.openView, place, limits, (host) =>
      observeHost(host, place.partition, wanted, environment, limits),
    );
    return showOthers(kind, names, options, observed, environment);
  }
  const client = await daemonFor(command, options, environment);
  const eachLook = (take: (rows: SecondaryRows) => 'enough' | 'more') =>
    client === null
      ? eachLookAtHost(target, environment, limits, take)
      : eachStatus(client, target, limits, take);
  if (options.watch) return watch(names, options, eachLook, environment, limits);
  let code: ExitCode = exitCodes.ok;
  await eachLook((all) => {
    code = show(choose(all, names, options, target), options, target, environment);
    return 'enough';
  });
  return code;
}

/** A Primary has a name of its operator's, which only unnestd tells. */
async function otherPlace(
  kind: OtherKind,
  options: Options,
  command: Command,
  environment: Environment,
  limits: Limits,
): Promise<{ readonly place: Target; readonly wanted: Wanted }> {
  if (kind !== 'primary' && kind !== 'nic') {
    const place = await targetFor(command, options, environment, limits);
    return { place, wanted: nothingWanted };
  }
  const place = await placeFor(command, options, environment, limits);
  const said = parseBeside([], place.partition, place.operators);
  const primary = said.ok ? wantedBy(said.desired).primary : null;
  return { place, wanted: { ...nothingWanted, primary } };
}

type EachLook = (take: (rows: SecondaryRows) => 'enough' | 'more') => Promise<void>;

/** Rows are printed again when they change, as kubectl has it, until Ctrl-C or the time is over. */
async function watch(
  names: readonly string[],
  { output, selector }: Options,
  eachLook: EachLook,
  { stdout }: Environment,
  limits: Limits,
): Promise<ExitCode> {
  if (output === 'yaml') throw usageError('-w does not go with -o yaml', '-o json has one a line');
  let before: SecondaryRows | null = null;
  try {
    await eachLook((all) => {
      const chosen = { ...all, rows: all.rows.filter((row) => isChosen(row, names, selector)) };
      stdout.write(renderChanges(before, chosen, output));
      before = chosen;
      return 'more';
    });
  } catch (error) {
    if (!limits.stop.aborted) throw error;
  }
  if (limits.timedOut()) return exitCodes.timeout;
  return limits.stop.aborted ? exitCodes.interrupted : exitCodes.ok;
}

function show(
  chosen: SecondaryRows,
  { output }: Options,
  { partition }: Target,
  { stdout, stderr }: Environment,
): ExitCode {
  if (chosen.rows.length === 0 && output !== 'json' && output !== 'yaml') {
    stderr.write(`No Secondaries in partition ${partition}.\n`);
  } else stdout.write(renderSecondaries(chosen, output));
  return chosen.rows.some(({ isUnknown }) => isUnknown) ? exitCodes.partial : exitCodes.ok;
}

/** @throws CommandError `usage` if one of the names is not there */
function choose(
  all: SecondaryRows,
  names: readonly string[],
  { selector }: Options,
  { partition }: Target,
): SecondaryRows {
  const missing = names.filter((name) => !all.rows.some((row) => row.name === name));
  if (missing.length > 0) {
    throw usageError(`partition ${partition} has no Secondary ${missing.join(', ')}`);
  }
  return { ...all, rows: all.rows.filter((row) => isChosen(row, names, selector)) };
}

function isChosen(
  { name, labels }: SecondaryRow,
  names: readonly string[],
  selector: Selector | undefined,
): boolean {
  return (names.length === 0 || names.includes(name)) && (selector?.(labels) ?? true);
}

function showOthers(
  kind: OtherKind,
  names: readonly string[],
  { output, selector, kind: plural }: Options,
  observed: Observed,
  { stdout, stderr }: Environment,
): ExitCode {
  if (selector !== undefined) throw usageError('only Secondaries have labels on the host');
  const unlisted = unlistedOf(kind, observed);
  if (unlisted !== null) {
    const cause = new Error(unlisted);
    throw new HostError('Unreachable', `the ${plural} could not be listed`, { cause });
  }
  const all = rowsOf(kind, observed);
  const rows = all.filter(({ name }) => names.length === 0 || names.includes(name));
  const missing = names.filter((name) => !all.some((row) => row.name === name));
  if (missing.length > 0) {
    throw usageError(`partition ${observed.partition} has no ${kind} ${missing.join(', ')}`);
  }
  if (rows.length === 0 && output !== 'json' && output !== 'yaml') {
    stderr.write(`No ${plural} in partition ${observed.partition}.\n`);
  } else stdout.write(renderResources(kind, rows, output));
  return rows.some(({ status }) => status === 'Unknown') ? exitCodes.partial : exitCodes.ok;
}

const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
const columnsPrefix = 'custom-columns=';

function parseOutput(text: string): Output {
  if (text.startsWith(columnsPrefix)) return parseColumns(text.slice(columnsPrefix.length));
  const format = formats.find((each) => each === text);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`Allowed choices are ${formats.join(', ')}, ${columnsPrefix}...`);
}
