/** `npm run schemas`: writes the JSON Schemas of `schemas/` anew. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { planSchemaText } from '../../src/cli/render/plan-schema.ts';
import { schemaFiles } from '../../src/documents/schema-files.ts';

const folder = new URL('../../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('plan.v1.json', folder), planSchemaText());
for (const [name, text] of schemaFiles()) writeFileSync(new URL(name, folder), text);
