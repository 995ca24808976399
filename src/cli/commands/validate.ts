/** `unnest validate`: are these documents right? Needs no host. */
import { Command } from 'commander';
import { kinds } from '../../documents/schema.ts';
import type { Bundle } from '../../documents/bundle.ts';
import type { Environment } from '../environment.ts';
import { partitionGiven, partitionOption, withDocuments } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { readBundle } from '../read-documents.ts';
import { writeNotes } from '../render/notes.ts';

interface Options {
  readonly file?: readonly string[];
}

export function validateCommand(environment: Environment): Command {
  return withDocuments(new Command('validate'))
    .description('check documents, all mistakes at once; needs no host')
    .addOption(partitionOption(environment))
    .action(async ({ file = [] }: Options, command: Command) => {
      const partition = partitionGiven(command, environment);
      const bundle = await readBundle(file, partition, environment, limitsOf(environment));
      environment.stdout.write(`Valid: ${contentsOf(bundle)}.\n`);
      writeNotes(bundle.notYet, environment);
    });
}

/** `3 Secondaries, 1 Volume`; Secondaries are counted as they will be, replicas and all. */
function contentsOf({ documents, secondaries }: Bundle): string {
  const others = kinds
    .filter((kind) => kind !== 'Secondary')
    .map(
      (kind) => [documents.filter(({ document }) => document.kind === kind).length, kind] as const,
    )
    .filter(([count]) => count > 0)
    .map(([count, kind]) => `${count} ${kind}${count === 1 ? '' : 's'}`);
  const { size } = secondaries;
  return [`${size} ${size === 1 ? 'Secondary' : 'Secondaries'}`, ...others].join(', ');
}
