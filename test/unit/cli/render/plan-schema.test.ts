import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planSchemaText } from '../../../../src/cli/render/plan-schema.ts';

test('schemas/plan.v1.json is current (npm run schemas)', () => {
  const path = new URL('../../../../schemas/plan.v1.json', import.meta.url);
  expect(readFileSync(path, 'utf8')).toBe(planSchemaText());
});
