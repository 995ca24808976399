import { expect, test } from 'vitest';
import { onceMore } from '../../../src/daemon/once-more.ts';

test('one at a time, and once more for however many that come meanwhile', async () => {
  const ends: (() => void)[] = [];
  let begun = 0;
  const settled = () => new Promise((done) => setImmediate(done));
  const ask = onceMore(() => {
    begun += 1;
    return new Promise((done) => ends.push(done));
  });
  ask();
  ask();
  ask();
  await settled();
  expect(begun).toBe(1);
  ends.shift()?.();
  await settled();
  expect(begun).toBe(2);
  ends.shift()?.();
  await settled();
  expect(begun).toBe(2);
  ask();
  await settled();
  expect(begun).toBe(3);
});
