/** `unnest schema`: the JSON Schema of the documents, for editors and other tools. */
import { Argument, Command } from 'commander';
import { jsonSchemaOf, jsonSchemaOfAll } from '../../documents/json-schema.ts';
import { schemaText } from '../../documents/schema-files.ts';
import { type Kind, kinds } from '../../documents/schema.ts';
import type { Environment } from '../environment.ts';

export function schemaCommand({ stdout }: Environment): Command {
  return new Command('schema')
    .description('print the JSON Schema (draft-07) of the documents, for editors and other tools')
    .addArgument(new Argument('[kind]', 'of one kind; of all if none is named').choices(kinds))
    .action((kind: Kind | undefined) => {
      stdout.write(schemaText(kind === undefined ? jsonSchemaOfAll() : jsonSchemaOf(kind)));
    });
}
