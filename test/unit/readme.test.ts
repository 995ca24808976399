/** What README says is checked where it can be: its documents, its exit codes, its fields. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { fieldRules } from '../../src/diff/fields.ts';
import { parseBundle } from '../../src/documents/bundle.ts';
import { fieldsOfKind } from '../../src/documents/fields.ts';
import { run } from './cli/run.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const blocks = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

describe('README', () => {
  test('has documents, and each is valid', () => {
    expect(blocks.length).toBeGreaterThan(1);
    for (const text of blocks) {
      const parsed = parseBundle([{ path: 'README.md', text }], null);
      expect(parsed).toMatchObject({ ok: true, bundle: { notYet: [] } });
    }
  });

  test('has the table of exit codes as it is', () => {
    const section = readme.slice(
      readme.indexOf('### Exit codes'),
      readme.indexOf('### For scripts'),
    );
    const rows = [...section.matchAll(/^\| (\d+) \| (\w+):? /gm)];
    expect(Object.fromEntries(rows.map(([, code, name = '']) => [name, Number(code)]))).toEqual(
      exitCodes,
    );
  });

  test('names every field that a document can set', () => {
    const table = readme.slice(readme.indexOf('### The fields'), readme.indexOf('### Volumes,'));
    const rows = new Set(
      [...table.matchAll(/`(?:[A-Za-z]+\.)*\.?([A-Za-z]+)`/g)].map(([, name]) => name),
    );
    const fields = fieldsOfKind('Secondary').filter(({ children }) => children.length === 0);
    expect(fields.length).toBeGreaterThan(10);
    for (const { path } of fields.filter((field) => field.path.startsWith('spec.'))) {
      expect([...rows]).toContain(path.split('.').at(-1));
    }
    // Who is in a slice, the Partition says.
    const { slice: _, vsock: __, ...said } = fieldRules;
    for (const { path } of Object.values(said)) {
      expect(table).toContain(path.split('.').at(-1));
    }
  });

  test('has the defaults and the ranges as they are', () => {
    const table = readme.slice(readme.indexOf('### The fields'), readme.indexOf('### Volumes,'));
    const rowOf = (name: string) =>
      table.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
    for (const { path, default: fallback, allowed } of fieldsOfKind('Secondary')) {
      const range = /from (\d+) to (\d+)$/.exec(allowed);
      const row = rowOf(path.replace(/^spec\./, ''));
      if (row === '') continue;
      expect(row).toContain(fallback === null ? '' : `\`${fallback}\``);
      expect(row).toContain(range === null ? '' : `(${range[1]} to ${range[2]})`);
    }
  });

  test('names every command', async () => {
    const { stdout } = await run(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
    expect(commands.length).toBeGreaterThan(10);
    const use = readme.slice(readme.indexOf('## Use it'), readme.indexOf('### The fields'));
    for (const name of commands.filter((each) => each !== 'help')) {
      expect(use).toMatch(new RegExp(`(unnest|;) ${name}\\b`));
    }
  });
});
