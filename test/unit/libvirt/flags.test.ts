import { expect, test } from 'vitest';
import { flagSet } from '../../../src/libvirt/flags.ts';

const flags = flagSet({ low: 1, middle: 4, high: 0x8000_0000 });

test('adds up what is true', () => {
  expect(flags({})).toBe(0);
  expect(flags({ low: true, middle: false })).toBe(1);
  expect(flags({ low: true, middle: undefined, high: true })).toBe(2_147_483_649);
});
