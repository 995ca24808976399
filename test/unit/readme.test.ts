/** What README says is checked where it can be: its documents, its exit codes, its fields. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { fieldRules } from '../../src/diff/fields.ts';
import { parseDocuments } from '../../src/documents/desired-state.ts';
import { partition } from '../support/passes.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const blocks = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

describe('README', () => {
  test('has documents, and each is valid', () => {
    expect(blocks.length).toBeGreaterThan(1);
    for (const text of blocks) {
      expect(parseDocuments([{ path: 'README.md', text }], partition)).toMatchObject({ ok: true });
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
    const table = readme.slice(readme.indexOf('### The fields'), readme.indexOf('### What it'));
    for (const { path } of Object.values(fieldRules)) {
      expect(table).toContain(path.split('.').at(-1));
    }
  });
});
