import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAffordable } from '../../../src/documents/json-cost.ts';
import { depthOf, valuesIn } from '../../support/json-size.ts';

const bytesOf = (text: string) => Buffer.from(text);

test('no JSON has more values, or is deeper, than what is counted', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, spaced) => {
      const json = bytesOf(JSON.stringify(value, null, spaced ? 2 : 0));
      const values = valuesIn(value);
      const depth = depthOf(value);
      // At most twice: an empty list counts as what it could hold, too.
      expect(isAffordable(json, 2 * values, depth)).toBe(true);
      expect(isAffordable(json, 2 * values, depth - 1)).toBe(depth === 0);
      // Lower by half: the first value of a list has no comma before it.
      expect(isAffordable(json, Math.ceil(values / 2) - 1, depth)).toBe(false);
    }),
  );
});

test('what stands in texts costs nothing', () => {
  expect(isAffordable(bytesOf(JSON.stringify('[[[,,,\\"[[[,,,{{{')), 1, 0)).toBe(true);
  expect(isAffordable(bytesOf('["\\\\",[]]'), 4, 2)).toBe(true);
  expect(isAffordable(bytesOf('["\\\\",[]]'), 4, 1)).toBe(false);
});

test('a flood is refused', () => {
  expect(isAffordable(bytesOf(`[${'[],'.repeat(1000)}`), 1000, 40)).toBe(false);
});
