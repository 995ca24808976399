/** `unnest audit`: who has asked for what of which partition, and what came of it, as unnestd has written down. */
import { Command } from 'commander';
import type { AuditEntry } from '../../report/audit.ts';
import { requireDaemon, type SocketOptions, socketOption, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import {
  outputOption,
  partitionGiven,
  partitionOption,
  timeoutOption,
  wholeSeconds,
} from '../options.ts';
import { limitsOf } from '../pass.ts';
import { printable } from '../render/paint.ts';
import { renderTable } from '../render/table.ts';

interface Options extends SocketOptions {
  readonly last: number;
  readonly output: 'text' | 'json';
  readonly timeout?: number;
}

export function auditCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return new Command('audit')
    .description('show who has asked for what of a partition, or of all, and what came of it')
    .addOption(partitionOption(environment))
    .addOption(socketOption(environment))
    .addOption(timeoutOption())
    .option('--last <count>', 'how many, at most 10000', wholeSeconds, 100)
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const client = await requireDaemon(options, environment);
      const partition = partitionGiven(command, environment);
      const asking = client.audit({ partition, last: options.last }, limits.stop);
      const entries = await withinLimits(limits, 'the audit log was read', asking);
      environment.stdout.write(render(entries, options.output));
      exit(exitCodes.ok);
    });
}

function render(entries: readonly AuditEntry[], output: Options['output']): string {
  if (output === 'json') return entries.map((each) => `${JSON.stringify(each)}\n`).join('');
  if (entries.length === 0) return 'Nothing was asked for yet.\n';
  const rows = entries.map(({ at, partition, request, outcome, generation, by }) =>
    [at, partition, request, outcome, `${generation ?? '-'}`, by].map(printable),
  );
  return renderTable(['AT', 'PARTITION', 'REQUEST', 'OUTCOME', 'GENERATION', 'BY'], rows);
}
