/** `unnest history`: the generations of a partition's documents that are kept. */
import { Command } from 'commander';
import type { HistoryEntry } from '../../report/submission.ts';
import {
  type DaemonOptions,
  partitionOf,
  requireDaemon,
  withDaemonOptions,
  withinLimits,
} from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { printable } from '../render/paint.ts';
import { shortDigest } from '../render/partition-status.ts';
import { renderTable } from '../render/table.ts';

interface Options extends DaemonOptions {
  readonly output: 'text' | 'json';
}

export function historyCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('history'), environment)
    .description("list the generations of a partition's documents that `rollback` can bring back")
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options) => {
      const limits = limitsOf(environment, options.timeout);
      const partition = partitionOf(options);
      const client = await requireDaemon(options, environment);
      const reading = client.history(partition, limits.stop);
      const items = await withinLimits(limits, 'the history was read', reading);
      const { stdout, stderr } = environment;
      if (options.output === 'json') stdout.write(`${JSON.stringify({ items }, null, 2)}\n`);
      else if (items.length > 0) stdout.write(render(items));
      else stderr.write(`No documents were accepted yet for partition ${partition}.\n`);
      exit(exitCodes.ok);
    });
}

/** The newest first: it is the one in force. */
function render(items: readonly HistoryEntry[]): string {
  const sorted = [...items].sort((a, b) => b.generation - a.generation);
  return renderTable(
    ['GENERATION', 'ACCEPTED', 'DOCUMENTS', 'DIGEST', 'BY', 'NOTE'],
    sorted.map(({ generation, acceptedAt, documentCount, digest, source, ...entry }, index) => [
      `${generation}`,
      printable(acceptedAt),
      `${documentCount}`,
      shortDigest(digest),
      printable(`${source} (${entry.submitter})`),
      [
        ...(index === 0 ? ['in force'] : []),
        ...(entry.rollbackOf === null ? [] : [`generation ${entry.rollbackOf} again`]),
      ].join(', '),
    ]),
  );
}
