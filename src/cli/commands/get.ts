/** `unnest get`: the Secondaries of a partition as they are now. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import { type Observed, splitLabels } from '../../model/domain.ts';
import { HostError } from '../../host/host-error.ts';
import { formatSize } from '../../model/sizes.ts';
import { parseColumns } from '../columns.ts';
import { usageError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type HostOptions, targetOf, withHostOptions } from '../options.ts';
import { limitsOf, nothingWanted, observeHost } from '../pass.ts';
import { printable } from '../render/paint.ts';
import { type Output, renderColumns, renderResources } from '../render/resources.ts';
import { renderTable } from '../render/table.ts';
import { type OtherKind, rowsOf, unlistedOf } from '../resource-rows.ts';
import { parseSelector, type Selector } from '../selector.ts';
import { type SecondaryStatus, statusOf } from '../status.ts';
import { using } from '../using.ts';

interface Options extends HostOptions {
  readonly kind: Plural;
  readonly output: Output;
  readonly selector?: Selector;
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
        .choices(Object.keys(kinds))
        .default('secondaries'),
    )
    .addOption(
      new Option(
        '-l, --selector <labels>',
        'only those with these labels, such as app=web,!old',
      ).argParser(parseSelector),
    )
    .action(async (names: readonly string[], options: Options) => {
      exit(await runGet(names, options, environment));
    });
}

const kinds = {
  secondaries: 'secondary',
  volumes: 'volume',
  images: 'image',
  networks: 'network',
} as const;
type Plural = keyof typeof kinds;

async function runGet(
  names: readonly string[],
  options: Options,
  environment: Environment,
): Promise<ExitCode> {
  const target = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  const observed = await using(environment.openView, target, limits, (host) =>
    observeHost(host, target.partition, nothingWanted, environment, limits),
  );
  const kind = kinds[options.kind];
  if (kind !== 'secondary') return showOthers(kind, names, options, observed, environment);
  const all = statusOf(observed);
  const rows = all.filter(
    ({ name, domain }) =>
      (names.length === 0 || names.includes(name)) &&
      (options.selector === undefined || options.selector(labelsOf(domain))),
  );
  const missing = names.filter((name) => !all.some((status) => status.name === name));
  if (missing.length > 0) {
    throw usageError(`partition ${target.partition} has no Secondary ${missing.join(', ')}`);
  }
  if (rows.length === 0 && options.output !== 'json' && options.output !== 'yaml') {
    environment.stderr.write(`No Secondaries in partition ${target.partition}.\n`);
  } else {
    environment.stdout.write(render(rows, options.output));
  }
  return rows.some(({ status }) => status === 'Unknown') ? exitCodes.partial : exitCodes.ok;
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

function labelsOf(domain: SecondaryStatus['domain']): ReadonlyMap<string, string> {
  return splitLabels(domain?.defined.labels ?? '');
}

const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
const columnsPrefix = 'custom-columns=';

function parseOutput(text: string): Output {
  if (text.startsWith(columnsPrefix)) return parseColumns(text.slice(columnsPrefix.length));
  const format = formats.find((each) => each === text);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`Allowed choices are ${formats.join(', ')}, ${columnsPrefix}...`);
}

function render(rows: readonly SecondaryStatus[], output: Output): string {
  if (typeof output !== 'string') return renderColumns(rows.map(plainObject), output);
  switch (output) {
    case 'table':
      return renderTable(['NAME', 'STATUS', 'VCPUS', 'MEMORY', 'NOTE'], rows.map(cells));
    case 'wide':
      return renderTable(
        ['NAME', 'STATUS', 'VCPUS', 'MEMORY', 'BOOT', 'ADDRESS', 'DOMAIN', 'UUID', 'NOTE'],
        rows.map(wideCells),
      );
    case 'name':
      return rows.map(({ name }) => `${name}\n`).join('');
    case 'json':
      return `${JSON.stringify({ items: rows.map(plainObject) }, null, 2)}\n`;
    case 'yaml':
      return stringify({ items: rows.map(plainObject) });
  }
}

function cells({ name, status, fields, ...rest }: SecondaryStatus): string[] {
  const memory = fields === null ? '?' : formatSize(fields.memoryBytes);
  return [name, status, `${fields?.vcpus ?? '?'}`, memory, note(rest)];
}

function wideCells(row: SecondaryStatus): string[] {
  const [name = '', status = '', vcpus = '', memory = '', noteText = ''] = cells(row);
  const boot = printable(bootOf(row.fields));
  const { domain } = row;
  return [
    name,
    status,
    vcpus,
    memory,
    boot,
    row.address ?? '-',
    domain?.domainName ?? '?',
    domain?.uuid ?? '?',
    noteText,
  ];
}

function bootOf(fields: SecondaryStatus['fields']): string {
  if (fields === null) return '-';
  const { kernel, disk, bootVolume } = fields;
  if (bootVolume !== null) return `volume ${bootVolume.replace(/:.*/, '')}`;
  return kernel ?? disk ?? '-';
}

function note({ why, waiting }: Pick<SecondaryStatus, 'why' | 'waiting'>): string {
  if (why !== null) return printable(why);
  if (waiting.length === 0) return '';
  return `restart required: ${waiting.map(({ path }) => path).join(', ')}`;
}

function plainObject({ name, status, why, domain, address, waiting }: SecondaryStatus): object {
  return {
    name,
    status,
    why,
    uuid: domain?.uuid ?? null,
    domain: domain?.domainName ?? null,
    labels: Object.fromEntries(labelsOf(domain)),
    address,
    power: domain?.power ?? null,
    defined: domain?.defined ?? null,
    live: domain?.live ?? null,
    restartRequired: waiting.map(({ path, from, to }) => ({ path, from, to })),
  };
}
