import { describe, expect, test } from 'vitest';
import { nameOf, topicsFor, topicWords } from '../../../../src/cli/explain/topics.ts';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { fieldsOfKind } from '../../../../src/documents/fields.ts';
import { kinds } from '../../../../src/documents/schema.ts';
import { run } from '../run.ts';

describe('unnest explain', () => {
  test('a code', async () => {
    expect(await run(['explain', 'MissingField'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `MissingField: a mistake in documents
  A field without default is not there.

  What to do: Add it. \`unnest explain FIELD\` says what it can be.
`,
    });
  });

  test('a field, with everything there is to know', async () => {
    const { stdout } = await run(['explain', 'spec.memory']);
    expect(stdout).toBe(`Secondary.spec.memory
  How much memory, from 16MiB to 16TiB, in whole MiB.

  Required.
  Allowed: a whole number with KiB, MiB, GiB or TiB, such as 512MiB, from 16MiB
  to 16TiB, in whole MiB
  Changing it on a running guest: live up to what it was started with (virtio
  balloon, with the guest's help), else restart
`);
    const named = await run(['explain', 'Secondary.spec.memory']);
    expect(named.stdout).toBe(stdout);
  });

  test('a field by the end of its path, wherever there is one', async () => {
    const { stdout } = await run(['explain', 'cidr']);
    expect(stdout).toContain('Partition.spec.network.cidr\n');
    expect(topicsFor('memory').length).toBeGreaterThan(2);
  });

  test('a field as an error names it, with the number of an entry', () => {
    expect(topicsFor('spec.startAfter[3]')).toEqual(topicsFor('spec.startAfter'));
    expect(topicsFor('spec.startAfter')).toHaveLength(1);
  });

  test('an exit code by number and by name; whatever else has the name', async () => {
    for (const [name, code] of Object.entries(exitCodes)) {
      const byNumber = await run(['explain', `${code}`]);
      expect(byNumber.stdout).toContain(`${name} (${code}): an exit code`);
    }
    const { stdout } = await run(['explain', 'timeout']);
    expect(stdout).toContain('an error of the host');
    expect(stdout).toContain('an exit code');
  });

  test('an unknown word, with the one that was meant', async () => {
    expect(await run(['explain', 'MisingField'])).toMatchObject({
      code: 64,
      stdout: '',
      stderr: 'error: "MisingField" is neither a code nor a field\n  did you mean MissingField?\n',
    });
    expect((await run(['explain', 'memroy'])).stderr).toContain('did you mean memory?');
    expect((await run(['explain', '\u001b[31mxyzzy'])).stderr).not.toContain('\u001b');
    expect((await run(['explain', '__proto__'])).code).toBe(64);
    expect((await run(['explain', 'toString'])).code).toBe(64);
  });

  test('nothing: a list of what there is', async () => {
    const { stdout } = await run(['explain']);
    for (const word of ['DuplicateKey', 'NameTaken', 'Unreachable', 'timeout (6)', 'Volume']) {
      expect(stdout.replace(/\s+/g, ' ')).toContain(word);
    }
  });

  test('every word that is offered means something, and every field can be found', () => {
    for (const word of topicWords()) expect(topicsFor(word)).not.toEqual([]);
    for (const field of kinds.flatMap(fieldsOfKind)) {
      expect(topicsFor(nameOf(field))).toEqual([{ kind: 'field', field }]);
    }
  });

  test('fits a narrow terminal', async () => {
    const { stdout } = await run(['explain', 'Refused'], { columns: 40 });
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });
});

test('a mistake in documents ends with the word to ask for', async () => {
  const { code, stderr } = await run(['validate', '-f', '-'], { stdin: 'kind: Pod\n' });
  expect(code).toBe(4);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(
    '  `unnest explain UnknownApiVersion` says more',
  );
});
