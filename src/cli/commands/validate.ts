/** `unnest validate`: are these documents right? Needs no host. */
import { Command } from 'commander';
import type { Environment } from '../environment.ts';
import { partitionOption, requirePartition, withDocuments } from '../options.ts';
import { readDesiredState } from '../read-documents.ts';

interface Options {
  readonly file?: readonly string[];
  readonly partition: string;
}

export function validateCommand(environment: Environment): Command {
  return withDocuments(new Command('validate'))
    .description('check documents, all mistakes at once; needs no host')
    .addOption(partitionOption(environment))
    .action(async ({ file = [], partition }: Options) => {
      const desired = await readDesiredState(file, requirePartition(partition), environment);
      const { size } = desired.secondaries;
      environment.stdout.write(`Valid: ${size} ${size === 1 ? 'Secondary' : 'Secondaries'}.\n`);
    });
}
