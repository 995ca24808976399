import { expect, test } from 'vitest';
import { cpuMap } from '../../../src/libvirt/cpu-map.ts';

test.each([
  [[0], [1]],
  [[7], [0x80]],
  [[8], [0, 1]],
  [
    [0, 1, 9, 1],
    [3, 2],
  ],
])('%j', (cpus, bytes) => {
  expect([...cpuMap(cpus)]).toEqual(bytes);
});

test.each([[[]], [[-1]], [[1.5]], [[3, -1]], [[16_384]]])('%j is refused', (cpus) => {
  expect(() => cpuMap(cpus)).toThrow(RangeError);
});
