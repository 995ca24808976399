/** What a block comes from, also where parts of parts stand between. */
import { expect, test } from 'vitest';
import { partBlocked, rootOf } from '../../../src/diff/ownership.ts';

const root = {
  code: 'HostUnknown',
  message: 'reading: it said "a is blocked: Held: no"\nand more',
} as const;

test.each([
  ['by itself', root],
  ['as a part', partBlocked('the image disk', root)],
  ['as a part of a part', partBlocked('Image linux', partBlocked('its intake', root))],
])('what is blocked %s is told with its reason', (_how, block) => {
  expect(rootOf(block)).toEqual(root);
});

test('a part that says nothing of its own is the reason', () => {
  const odd = { code: 'PartBlocked', message: 'something' } as const;
  expect(rootOf(odd)).toEqual(odd);
});
