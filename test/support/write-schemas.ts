/** `npm run schemas`: writes the JSON Schemas of `schemas/` anew. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { openApiFiles } from '../../src/channel/openapi.ts';
import { partitionStatusSchemaText } from '../../src/channel/partition-status-schema.ts';
import { planSchemaText } from '../../src/cli/render/plan-schema.ts';
import { configSchemaFile, configSchemaText } from '../../src/daemon/config-schema-file.ts';
import { schemaFiles } from '../../src/documents/schema-files.ts';

const folder = new URL('../../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('plan.v1.json', folder), planSchemaText());
writeFileSync(new URL('partition-status.v1.json', folder), partitionStatusSchemaText());
writeFileSync(new URL(configSchemaFile, folder), configSchemaText());
for (const [name, text] of openApiFiles()) writeFileSync(new URL(name, folder), text);
for (const [name, text] of schemaFiles()) writeFileSync(new URL(name, folder), text);
