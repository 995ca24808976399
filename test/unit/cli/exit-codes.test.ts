import { expect, test } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';

test('no exit code is 1, which is how `diff` says that something differs', () => {
  expect(Object.values(exitCodes)).not.toContain(1);
});
