import { expect, test } from 'vitest';
import { onceMore } from '../../../src/daemon/once-more.ts';

test('one at a time, and once more for however many that come meanwhile', async () => {
  const ends: (() => void)[] = [];
  let begun = 0;
  const never = () => expect.unreachable();
  const settled = () => new Promise((done) => setImmediate(done));
  const ask = onceMore(() => {
    begun += 1;
    return new Promise((done) => ends.push(done));
  }, never);
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

test('one that throws is told of, and keeps none from being done after it', async () => {
  const told: unknown[] = [];
  let begun = 0;
  const ask = onceMore(
    async () => {
      begun += 1;
      if (begun === 1) throw new Error('a bug');
    },
    (error) => told.push((error as Error).message),
  );
  ask();
  await new Promise((done) => setImmediate(done));
  ask();
  await new Promise((done) => setImmediate(done));
  expect({ begun, told }).toEqual({ begun: 2, told: ['a bug'] });
});
