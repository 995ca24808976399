/** What of a kernel's header is allowed: the same kernels go through the whole of an import in `image-corpus.test.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KERNEL_HEAD_BYTES, kernelObjection } from '../../../../src/host/local/kernel-header.ts';
import { hostileKernels, soundKernel, validKernels } from '../../../support/hostile-kernels.ts';

const judge = (kernel: Buffer) =>
  kernelObjection(kernel.subarray(0, KERNEL_HEAD_BYTES), kernel.length);

test.each(validKernels)('allowed is a kernel with $what', ({ make }) => {
  expect(judge(make())).toBeNull();
});

// Of what is empty, too long, or a disk, somebody else says so.
const ofHeader = hostileKernels.filter(
  ({ what, code }) => code !== 'TooLarge' && !/^nothing$|qcow2/.test(what),
);

test.each(ofHeader)('refused is a kernel that is, or is one, $what ($code)', ({ code, make }) => {
  expect(judge(make())).toMatchObject({ code });
});

test('where a kernel takes its initial RAM disk is said', () => {
  const kernel = soundKernel((bytes) => void bytes.writeUInt32LE(0x37ff_ffff, 0x22c));
  const words =
    'it takes an initial RAM disk up to 0x37ffffff only (initrd_addr_max), and not up to 2 GiB';
  expect(judge(kernel)).toEqual({ code: 'UnknownFeature', words });
});

describe('a kernel that is not what it seems', () => {
  test.each([
    [0x000, '\x7fELF', 'it is a Linux kernel, and an ELF too'],
    [0x202, 'hdrs', 'it does not begin as a Linux kernel for x86 does'],
  ])('at 0x%i is told what it is', (at, text, words) => {
    const kernel = soundKernel((bytes) => void bytes.write(text, at, 'latin1'));
    expect(judge(kernel)?.words).toBe(words);
  });
});

test('whatever bytes there are, nothing is thrown, and what is allowed lies within the file', () => {
  const anyChange = fc.tuple(fc.integer({ min: 0x1f0, max: 0x270 }), fc.nat(255));
  const anyLength = fc.oneof(fc.constant(10_752), fc.nat(12_000));
  const seen = { allowed: 0 };
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 6 }), anyLength, (changes, length) => {
      const kernel = Buffer.alloc(length);
      soundKernel((bytes) => {
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
      }).copy(kernel);
      if (judge(kernel) !== null) return;
      seen.allowed += 1;
      const setup = ((kernel.readUInt8(0x1f1) || 4) + 1) * 512;
      expect(kernel.toString('latin1', 0x202, 0x206)).toBe('HdrS');
      // As it is laid out in memory: the last 16 bytes need not all be there.
      expect(setup + kernel.readUInt32LE(0x1f4) * 16).toBeLessThan(length + 16);
      expect(kernel.readUInt32LE(0x22c) >= 2 ** 31 - 1 || (kernel[0x236] ?? 0) & 2).toBeTruthy();
      expect(kernel.readUInt32LE(0x248) + kernel.readUInt32LE(0x24c)).toBeLessThanOrEqual(
        kernel.readUInt32LE(0x1f4) * 16,
      );
    }),
    { numRuns: 2000 },
  );
  expect(seen.allowed).toBeGreaterThan(20);
});
