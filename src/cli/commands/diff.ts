/**
 * `unnest diff`: what differs, and nothing about what would be done. Exit codes are kubectl's: 0 no
 * difference, 1 some, and above 1 an error.
 */
import { Command } from 'commander';
import type { FieldChange } from '../../diff/fields.ts';
import type { PlanEntry } from '../../plan/entry.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type HostOptions, planOptionsOf, withDocuments, withHostOptions } from '../options.ts';
import { placeFor } from '../place.ts';
import { limitsOf, planFor } from '../pass.ts';
import { readDesiredState } from '../read-documents.ts';
import { nameOf } from '../render/outcomes.ts';
import { formatValue } from '../render/field-value.ts';
import { type Paint, paintFor, printable } from '../render/paint.ts';
import { using } from '../using.ts';

interface Options extends HostOptions {
  readonly file?: readonly string[];
}

/** `diff`'s own word for "there are differences"; no command has that number for anything else. */
const differs = 1;

export function diffCommand(
  environment: Environment,
  exit: (code: ExitCode | typeof differs) => void,
): Command {
  return withHostOptions(withDocuments(new Command('diff')), environment)
    .description('show what differs, field by field; exits with 1 if anything does')
    .action(async (options: Options, command: Command) => {
      exit(await runDiff(options, command, environment));
    });
}

async function runDiff(options: Options, command: Command, environment: Environment) {
  const limits = limitsOf(environment, options.timeout);
  const target = await placeFor(command, options, environment, limits);
  const desired = await readDesiredState(options.file ?? [], target, environment, limits);
  // Nothing is carried out, so nothing needs to be guarded.
  const planOptions = {
    ...planOptionsOf({ maxDeletions: 0 }),
    deleteEverything: true,
    deletionsMax: null,
  };
  const { plan } = await using(environment.openView, target, limits, (host) =>
    planFor(host, desired, planOptions, environment, limits),
  );
  const { stdout, variables } = environment;
  const paint = paintFor(stdout, variables);
  const lines = plan.entries.flatMap((entry) => renderEntry(entry, paint));
  stdout.write(lines.map((line) => `${line}\n`).join(''));
  if (plan.entries.some(({ kind }) => kind === 'blocked')) return exitCodes.partial;
  return lines.length > 0 ? differs : exitCodes.ok;
}

function renderEntry(entry: PlanEntry, paint: Paint): string[] {
  const name = nameOf(entry.resource);
  switch (entry.kind) {
    case 'blocked':
      return [`! ${name}: ${entry.block.code}: ${printable(entry.block.message)}`];
    case 'unchanged':
      return entry.waiting.length === 0 ? [] : [`  ${name}`, ...fields(entry.waiting, paint)];
    case 'kept':
      return [];
    case 'create':
    case 'update':
    case 'delete': {
      const symbol = { create: '+', update: '~', delete: '-' }[entry.kind];
      const power = entry.fields.length === 0 ? ` (${entry.reasons.join(', ')})` : '';
      return [`${symbol} ${name}${power}`, ...fields(entry.fields, paint)];
    }
  }
}

function fields(changes: readonly FieldChange[], paint: Paint): string[] {
  return changes.flatMap(({ field, path, from, to }) => {
    return [
      ...(from === null ? [] : [paint.red(`-   ${path}: ${formatValue(field, from)}`)]),
      ...(to === null ? [] : [paint.green(`+   ${path}: ${formatValue(field, to)}`)]),
    ];
  });
}
