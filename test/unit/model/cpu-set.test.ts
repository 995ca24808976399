/** Sets of CPUs, against the plainest way to count them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpusBeside, cpusIn, eachCpu, lastCpu, plainCpus } from '../../../src/model/cpu-set.ts';

describe('a set of CPUs', () => {
  test.each([
    ['0,1', '0-1'],
    ['0,2', '0,2'],
    ['0-1,2-3,5', '0-3,5'],
    ['7-7', '7'],
  ])('%s is what the kernel writes as %s', (text, plain) => {
    expect(plainCpus(text)).toBe(plain);
  });

  test.each([
    [4, [], '0-3'],
    [4, ['1'], '0,2-3'],
    [8, ['0-1', '4', '6-7'], '2-3,5'],
    [2, ['0', '1'], ''],
    [2, ['0-7'], ''],
  ])('of %i CPUs without %j: %s', (count, sets, left) => {
    expect(cpusBeside(count, sets)).toBe(left);
  });

  test('and what is beside it are all that there are, whatever it is', () => {
    const anySet = fc.uniqueArray(fc.nat({ max: 20 }), { minLength: 1 }).map((cpus) => {
      const sorted = cpus.toSorted((a, b) => a - b);
      return { sorted, text: plainCpus(sorted.join(',')) };
    });
    fc.assert(
      fc.property(anySet, fc.integer({ min: 1, max: 24 }), ({ sorted, text }, count) => {
        expect(eachCpu(text)).toEqual(sorted);
        expect([cpusIn(text), lastCpu(text)]).toEqual([sorted.length, sorted.at(-1)]);
        const all = Array.from({ length: count }, (_, cpu) => cpu);
        const left = all.filter((cpu) => !sorted.includes(cpu));
        expect(eachCpu(cpusBeside(count, [text]))).toEqual(left);
      }),
    );
  });
});
