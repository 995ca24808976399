import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonBounds, isWithinBounds } from '../../../src/documents/json-cost.ts';
import { depthOf, valuesIn } from '../../support/json-size.ts';

const boundless: JsonBounds = {
  depthMax: Infinity,
  valuesMax: Infinity,
  outerValuesMax: Infinity,
  itemValuesMax: Infinity,
  keyBytesMax: Infinity,
  textBytesMax: Infinity,
};

const fits = (text: string, bounds: Partial<JsonBounds>) =>
  isWithinBounds(Buffer.from(text), { ...boundless, ...bounds });
const within = (value: unknown, bounds: Partial<JsonBounds>) => fits(JSON.stringify(value), bounds);

test('no JSON has more values, or is deeper, than what is counted', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, spaced) => {
      const json = JSON.stringify(value, null, spaced ? 2 : 0);
      const values = valuesIn(value);
      const depth = depthOf(value);
      // At most twice: an empty list counts as what it could hold, too.
      expect(fits(json, { valuesMax: 2 * values, depthMax: depth })).toBe(true);
      expect(fits(json, { valuesMax: 2 * values, depthMax: depth - 1 })).toBe(depth === 0);
      // Lower by half: the first value of a list has no comma before it.
      const half = { valuesMax: Math.ceil(values / 2) - 1 };
      expect(values > 2 && fits(json, half)).toBe(false);
    }),
  );
});

test('what stands in texts costs nothing but its bytes', () => {
  expect(within('[[[,,,\\"[[[,,,{{{', { valuesMax: 1, depthMax: 0 })).toBe(true);
  expect(fits('["\\\\",[]]', { valuesMax: 4, depthMax: 2 })).toBe(true);
  expect(fits('["\\\\",[]]', { valuesMax: 4, depthMax: 1 })).toBe(false);
  expect(fits('["ab\\"c"]', { textBytesMax: 5 })).toBe(true);
  expect(fits('["ab\\"c"]', { textBytesMax: 4 })).toBe(false);
  expect(fits('["never ends', { textBytesMax: 9 })).toBe(false);
});

test('names are bounded apart from texts, however much blank stands behind them', () => {
  const long = 'x'.repeat(11);
  expect(within({ documents: [{ a: long }, [long]] }, { keyBytesMax: 10 })).toBe(true);
  expect(within({ documents: [{ [long]: 1 }] }, { keyBytesMax: 10 })).toBe(false);
  expect(fits(`{"${long}" \n : 1}`, { keyBytesMax: 10 })).toBe(false);
});

test('each item is bounded, and begins anew', () => {
  const items = (count: number, size: number) => ({
    documents: Array.from({ length: count }, () => ({ value: Array(size).fill(1) })),
  });
  expect(within(items(50, 8), { itemValuesMax: 10 })).toBe(true);
  expect(within(items(1, 12), { itemValuesMax: 10 })).toBe(false);
  expect(within({ documents: [...items(3, 2).documents, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]] }, { itemValuesMax: 10 })).toBe(false);
}); // prettier-ignore

test('what is no item is bounded, too', () => {
  const bounds = { outerValuesMax: 20 };
  expect(within({ documents: Array.from({ length: 15 }, () => [1, 2, 3]) }, bounds)).toBe(true);
  expect(within({ documents: Array(25).fill(1) }, bounds)).toBe(false);
  expect(within(Object.fromEntries(Array.from({ length: 25 }, (_, i) => [i, 1])), bounds)).toBe(false);
}); // prettier-ignore

test('a flood is refused', () => {
  expect(fits(`[${'[],'.repeat(1000)}`, { valuesMax: 1000, depthMax: 40 })).toBe(false);
});
