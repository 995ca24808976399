/** The JSON Schema of the configuration as the file that `schemas/` holds. */
import { jsonSchemaFrom } from '../documents/json-schema.ts';
import { schemaText } from '../documents/schema-files.ts';
import { CONFIG_KIND, configSchema } from './config-schema.ts';

export const configSchemaFile = `${CONFIG_KIND}.json`;

export function configSchemaText(): string {
  return schemaText(jsonSchemaFrom(configSchema));
}
