import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { documentLimits } from '../../../src/documents/limits.ts';
import { diskDocument, type SimulatedPlace, simulatedPlace } from './simulated.ts';
import { run } from './run.ts';

let at: SimulatedPlace;
beforeEach(() => {
  at = simulatedPlace();
});
afterEach(() => at.dispose());

describe('documents that are larger than anybody reads', () => {
  const tooLarge = { code: 4, stdout: '', stderr: expect.stringContaining('TooLarge') };

  test('together, whichever file it is that makes them so', async () => {
    const folder = join(at.dir, 'folder');
    mkdirSync(folder);
    const half = `# ${'x'.repeat(documentLimits.bundleBytesMax / 2)}\n`;
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.yaml`), half);
    const ran = await run(['validate', '-f', folder]);
    expect(ran).toEqual(tooLarge);
    // The third one was not even read.
    expect(ran.stderr).toContain('b.yaml');
  });

  test('in bytes, though not in characters: what was cut off is not taken for unwanted', async () => {
    const comment = `# ${'\u2713'.repeat(documentLimits.bundleBytesMax / 3)}\n`;
    at.write(diskDocument('first'), comment, diskDocument('last'));
    expect(await run(['validate', '-f', at.documents])).toEqual(tooLarge);
  });
});

test.each(['/dev/zero', '/dev/null'])('%s holds no documents', async (path) => {
  expect(await run(['validate', '-f', path])).toMatchObject({ code: 64 });
});

test('what unnestd reads in a directory is looked at by hand, and not made real by hand', async () => {
  const partition = [
    '---',
    'apiVersion: unnest.dev/v1',
    'kind: Partition',
    'metadata: { name: default }',
    'spec: { source: Directory }',
    '',
  ].join('\n');
  at.write(diskDocument('web'), partition);
  for (const command of [['plan'], ['diff'], ['apply', '--yes']]) {
    const ran = await at.unnest([...command, '-f', at.documents]);
    expect(ran).toMatchObject({ code: 4, stdout: '' });
    expect(ran.stderr).toContain('NotTheSource: spec.source: ');
    expect(ran.stderr).toContain("change the files in the partition's directory");
  }
  expect(await run(['validate', '-f', at.documents])).toMatchObject({ code: 0 });
});
