/** `unnest export`: a Secondary of the host as a document that plans to no change. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { CommandError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { exportDocument } from '../export-document.ts';
import { findSecondary } from '../one-secondary.ts';
import { type HostOptions, targetOf, withHostOptions } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { using } from '../using.ts';

export function exportCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('export'), environment)
    .description('print a Secondary of the host as a document that plans to no change')
    .argument('<name>', 'which one')
    .action(async (name: string, options: HostOptions) => {
      const target = targetOf(options);
      const limits = limitsOf(environment, options.timeout);
      const status = await using(environment.openView, target, limits, (host) =>
        findSecondary(name, host, target, environment, limits),
      );
      if (status.domain === null) {
        throw new CommandError(exitCodes.partial, `${name} cannot be read: ${status.why ?? ''}`);
      }
      environment.stdout.write(stringify(exportDocument(status.name, status.domain.defined)));
      exit(exitCodes.ok);
    });
}
