import { afterEach, beforeEach, expect, test } from 'vitest';
import { diskDocument, type SimulatedPlace, simulatedPlace } from './simulated.ts';

let at: SimulatedPlace;
beforeEach(async () => {
  at = simulatedPlace();
  at.write(diskDocument('web', ['runPolicy: Halted']));
  await at.unnest(['apply', '-f', at.documents]);
});
afterEach(() => at.dispose());

test('whoever is asked has seen the plan, also where the document for programs comes last', async () => {
  const ran = await at.unnest(['destroy', '--all', '-o', 'json'], { answer: 'no' });
  expect(ran).toMatchObject({ code: 130, stdout: '' });
  expect(ran.stderr).toMatch(/^ {2}- web: delete\n.*Plan: 1 to delete/s);
  const agreed = await at.unnest(['destroy', '--all', '-o', 'json'], { answer: 'y' });
  expect(agreed.code).toBe(0);
  expect(JSON.parse(agreed.stdout).report.outcomes).not.toEqual([]);
});
