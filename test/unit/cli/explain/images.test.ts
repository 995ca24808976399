/** Whose kernel is refused is told what to do about a kernel, and not about a disk. */
import { expect, test } from 'vitest';
import { imageExplanations } from '../../../../src/cli/explain/images.ts';
import type { ObjectionCode } from '../../../../src/host/image-objection.ts';
import { hostileKernels } from '../../../support/hostile-kernels.ts';

const ofKernels = [...new Set(hostileKernels.map(({ code }) => code))].sort();
const ofRamdisks: readonly ObjectionCode[] = ['BadGeometry', 'TooLarge', 'WrongFormat'];

test.each(ofKernels)('%s says what it means of a kernel, and which one to take', (code) => {
  const { means, todo } = imageExplanations[code];
  expect(means).toMatch(/\bkernel\b|bzImage/);
  expect(todo).toMatch(/\bkernel\b/i);
});

test.each(ofRamdisks)('%s says the same of an initial RAM disk', (code) => {
  const { means, todo } = imageExplanations[code];
  expect(means).toMatch(/initial RAM disk/);
  expect(todo).toMatch(/initial RAM disk/);
});
