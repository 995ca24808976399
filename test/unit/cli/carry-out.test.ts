import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

describe('a plan in a file that makes a seed', () => {
  const told = (userData: string) => diskDocument('web', [`cloudInit: { userData: ${userData} }`]);
  const path = () => join(at.dir, 'plan.json');

  test('does not hold what is in it, and is carried out with the documents that do', async () => {
    at.write(told('hunter2'));
    await at.unnest(['plan', '-f', at.documents, '--out', path()]);
    expect(readFileSync(path(), 'utf8')).not.toContain('hunter2');
    const alone = await at.unnest(['apply', '--plan', path()]);
    expect(alone).toMatchObject({ code: 64, stdout: '' });
    expect(alone.stderr).toContain('give the documents that it was made from as well, by -f');
    at.write(told('other'));
    const others = await at.unnest(['apply', '--plan', path(), '-f', at.documents]);
    expect(others).toMatchObject({ code: 7, stdout: '' });
    expect(others.stderr).toMatch(/the documents do not hold seed web\.[0-9a-f]{64}/);
    at.write(told('hunter2'));
    const done = await at.unnest(['apply', '--plan', path(), '-f', at.documents]);
    expect(done).toMatchObject({ code: 0 });
    const shown = await at.unnest(['get', '--kind', 'seeds']);
    expect(shown.stdout).toMatch(/web\.[0-9a-f]{64} +Ready +130KiB +cloud-init +web/);
  });

  test('and one that makes none takes no documents', async () => {
    at.write(diskDocument('web', ['runPolicy: Halted', 'vcpus: 2']).replace('vcpus: 1\n', '\n'));
    await at.unnest(['plan', '-f', at.documents, '--out', path()]);
    const both = await at.unnest(['apply', '--plan', path(), '-f', at.documents]);
    expect(both).toMatchObject({ code: 64 });
    expect(both.stderr).toContain('both documents and --plan were given');
  });
});

test('a seed that nobody has any more goes without a question', async () => {
  at.write(diskDocument('web', ['runPolicy: Halted', 'cloudInit: {}']));
  await at.unnest(['apply', '-f', at.documents]);
  at.write(diskDocument('web', ['runPolicy: Halted', 'cloudInit: { userData: other }']));
  const ran = await at.unnest(['apply', '-f', at.documents]);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toMatch(/- seed web\.[0-9a-f]{12}: delete/);
});

test('what is told at a first boot is not exported, and that is said', async () => {
  at.write(diskDocument('web', ['runPolicy: Halted', 'cloudInit: { userData: hunter2 }']));
  await at.unnest(['apply', '-f', at.documents]);
  const ran = await at.unnest(['export', 'web']);
  expect(ran).toMatchObject({ code: 3, stdout: '' });
  expect(ran.stderr).toContain('may hold secrets');
});
