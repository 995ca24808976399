/** `unnest get`: the Secondaries of a partition as they are now. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { fieldRules } from '../../diff/fields.ts';
import { formatSize } from '../../model/sizes.ts';
import { usageError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type HostOptions, outputOption, targetOf, withHostOptions } from '../options.ts';
import { limitsOf, observeHost } from '../pass.ts';
import { printable } from '../render/paint.ts';
import { renderTable } from '../render/table.ts';
import { type SecondaryStatus, statusOf } from '../status.ts';
import { using } from '../using.ts';

interface Options extends HostOptions {
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

export function getCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('get'), environment)
    .description('show the Secondaries of a partition as they are now')
    .argument('[name...]', 'which ones; all if none is named')
    .addOption(outputOption('table', 'wide', 'json', 'yaml', 'name'))
    .action(async (names: readonly string[], options: Options) => {
      exit(await runGet(names, options, environment));
    });
}

async function runGet(
  names: readonly string[],
  options: Options,
  environment: Environment,
): Promise<ExitCode> {
  const target = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  const observed = await using(environment.openView, target, limits, (host) =>
    observeHost(host, target.partition, new Map(), environment, limits),
  );
  const all = statusOf(observed);
  const rows = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
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

function render(rows: readonly SecondaryStatus[], output: Options['output']): string {
  switch (output) {
    case 'table':
      return renderTable(['NAME', 'STATUS', 'VCPUS', 'MEMORY', 'NOTE'], rows.map(cells));
    case 'wide':
      return renderTable(
        ['NAME', 'STATUS', 'VCPUS', 'MEMORY', 'BOOT', 'DOMAIN', 'UUID', 'NOTE'],
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
  const boot = printable(row.fields?.kernel ?? row.fields?.disk ?? '-');
  const { domain } = row;
  return [
    name,
    status,
    vcpus,
    memory,
    boot,
    domain?.domainName ?? '?',
    domain?.uuid ?? '?',
    noteText,
  ];
}

function note({ why, waiting }: Pick<SecondaryStatus, 'why' | 'waiting'>): string {
  if (why !== null) return printable(why);
  if (waiting.length === 0) return '';
  return `restart required: ${waiting.map(({ field }) => fieldRules[field].path).join(', ')}`;
}

function plainObject({ name, status, why, domain, waiting }: SecondaryStatus): object {
  return {
    name,
    status,
    why,
    uuid: domain?.uuid ?? null,
    domain: domain?.domainName ?? null,
    power: domain?.power ?? null,
    defined: domain?.defined ?? null,
    live: domain?.live ?? null,
    restartRequired: waiting.map(({ field, from, to }) => ({
      path: fieldRules[field].path,
      from,
      to,
    })),
  };
}
