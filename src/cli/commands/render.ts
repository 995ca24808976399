/** `unnest render`: documents as they are understood, and where each value comes from. */
import { Command } from 'commander';
import { effectiveDocuments } from '../../documents/effective.ts';
import type { Environment } from '../environment.ts';
import { outputOption, partitionGiven, partitionOption, withDocuments } from '../options.ts';
import { limitsOf } from '../pass.ts';
import { readBundle } from '../read-documents.ts';
import { documentsJson, documentsYaml } from '../render/documents.ts';
import { writeNotes } from '../render/notes.ts';

interface Options {
  readonly file?: readonly string[];
  readonly output: 'yaml' | 'json';
  readonly showSensitive?: boolean;
}

export function renderCommand(environment: Environment): Command {
  return withDocuments(new Command('render'))
    .description('print documents with defaults and replicas, and where each value comes from')
    .addOption(partitionOption(environment))
    .addOption(outputOption('yaml', 'json'))
    .option('--show-sensitive', 'print what may be secret (userData and so on), and not its digest')
    .action(async ({ file = [], output, showSensitive = false }: Options, command: Command) => {
      const partition = partitionGiven(command, environment);
      const bundle = await readBundle(file, partition, environment, limitsOf(environment));
      const render = output === 'json' ? documentsJson : documentsYaml;
      environment.stdout.write(render(bundle.partition, effectiveDocuments(bundle, showSensitive)));
      writeNotes(bundle.notYet, environment);
    });
}
