/** Names that nothing has, and how much is thought about what may have been meant. */
import { expect, test } from 'vitest';
import { documentLimits } from '../../../src/documents/limits.ts';
import { dangling } from '../../../src/documents/references.ts';

const namedOnce = (): ReadonlyMap<string, null> => new Map([['data', null]]);

test('a name that is nearly right is told the right one', () => {
  expect(dangling('Volume', 'dtaa', namedOnce(), 0)).toEqual([
    'there is no Volume named "dtaa"',
    { remedy: 'did you mean data?' },
  ]);
  expect(dangling('Volume', 'root', namedOnce(), 0)[1]).toEqual({ remedy: null });
});

test('beyond the mistakes that are shown nobody looks for what was meant', () => {
  const names = {
    keys: () => {
      throw new Error('looked at');
    },
  };
  expect(dangling('Volume', 'dtaa', names, documentLimits.diagnosticsMax)).toEqual([
    'there is no Volume named "dtaa"',
    { remedy: null },
  ]);
});
