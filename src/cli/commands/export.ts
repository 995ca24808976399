/** `unnest export`: a Secondary of the host, with its Volumes, as documents that plan to no change. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { CommandError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { exportDocuments } from '../export-document.ts';
import { lookForSecondary } from '../one-secondary.ts';
import { type HostOptions, withHostOptions } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { targetFor } from '../place.ts';
import { using } from '../using.ts';

export function exportCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('export'), environment)
    .description(
      'print a Secondary of the host, with its Volumes, as documents that plan to no change',
    )
    .argument('<name>', 'which one')
    .action(async (name: string, options: HostOptions, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const target = await targetFor(command, options, environment, limits);
      const { status, observed } = await using(environment.openView, target, limits, (host) =>
        lookForSecondary(name, host, target, environment, limits),
      );
      if (status.domain === null) {
        throw new CommandError(exitCodes.partial, `${name} cannot be read: ${status.why ?? ''}`);
      }
      const documents = exportDocuments(status.name, status.domain.defined, observed);
      environment.stdout.write(documents.map((each) => stringify(each)).join('---\n'));
      exit(exitCodes.ok);
    });
}
