/** The filter, run by an interpreter of its own: the real kernel's answer is an integration test. */
import { describe, expect, test } from 'vitest';
import {
  type FilteredProcessor,
  isFilteredProcessor,
  syscallFilter,
} from '../../../../src/host/sandbox/syscall-filter.ts';
import { imageToolCalls, workerCalls } from '../../../../src/host/sandbox/syscalls.ts';
import { refusedCalls } from '../../../support/refused-calls.ts';

const allowed = 0x7fff_0000;
const missing = 0x0005_0026;
const killed = 0x8000_0000;
const audit = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;

interface Call {
  readonly number: number;
  readonly processor?: number;
  readonly words?: readonly number[];
}

/** What the kernel does with these four kinds of instructions. */
function verdict(filter: Uint8Array, { number, processor, words = [] }: Call): number {
  const bytes = Buffer.from(filter);
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(processor ?? 0, 4);
  words.forEach((word, at) => data.writeBigUInt64LE(BigInt(word), 16 + 8 * at));
  let held = 0;
  for (let at = 0; ; at += 1) {
    const constant = bytes.readUInt32LE(8 * at + 4);
    switch (bytes.readUInt16LE(8 * at)) {
      case 0x20:
        held = data.readUInt32LE(constant);
        break;
      case 0x54:
        held = (held & constant) >>> 0;
        break;
      case 0x15:
        at += bytes.readUInt8(8 * at + (held === constant ? 2 : 3));
        break;
      case 0x06:
        return constant;
      default:
        throw new Error(`instruction ${at} is of no known kind`);
    }
  }
}

const lists = { 'a worker': workerCalls, 'an image tool': imageToolCalls };
const both = (['x64', 'arm64'] as const).flatMap((name) =>
  (['a worker', 'an image tool'] as const).map((whose) => [name, whose] as const),
);

describe.each<readonly [FilteredProcessor, keyof typeof lists]>(both)(
  'on %s, of %s',
  (name, whose) => {
    const filter = syscallFilter(name, lists[whose]);
    const processor = audit[name];
    const judged = (number: number, words: readonly number[] = []) =>
      verdict(filter, { number, processor, words });
    const numberOf = (each: readonly [string, number, number]) => each[name === 'x64' ? 1 : 2];

    test('what it has no use for is as if the kernel did not have it', () => {
      const verdicts = refusedCalls.map((each) => [each[0], judged(numberOf(each))]);
      expect(verdicts).toEqual(refusedCalls.map(([call]) => [call, missing]));
    });

    test('reading, threads and memory are allowed, and few other calls', () => {
    const some = name === 'x64' ? [0, 1, 9, 10, 202, 231, 257, 281] : [63, 64, 222, 226, 98, 94, 56, 22];
    expect(some.map((number) => judged(number))).toEqual(some.map(() => allowed));
    const all = Array.from({ length: 1000 }, (_, number) => judged(number));
    expect(all.filter((each) => each === allowed).length).toBeLessThan(110);
    expect(all.every((each) => each === allowed || each === missing)).toBe(true);
  }); // prettier-ignore

    test('only an image tool writes at any place of a file', () => {
      const numbers = name === 'x64' ? [18, 77, 285] : [68, 46, 47];
      const expected = whose === 'a worker' ? missing : allowed;
      expect(numbers.map((number) => judged(number))).toEqual(numbers.map(() => expected));
    });

    test('a thread may be started, no process, and nothing in a namespace of its own', () => {
      const clone = name === 'x64' ? 56 : 220;
      const thread = 0x3d_0f00;
      expect(judged(clone, [thread])).toBe(allowed);
      // vfork, fork, a thread with a mount, network and user namespace.
      for (const flags of [
        0x4111,
        17,
        thread + 0x2_0000,
        thread + 0x4000_0000,
        thread + 0x1000_0000,
      ])
        expect(judged(clone, [flags])).toBe(missing);
    });

    test('a terminal is asked whether it is one, and not told anything', () => {
      const ioctl = name === 'x64' ? 16 : 29;
      expect(judged(ioctl, [0, 0x5401])).toBe(allowed);
      // TIOCSTI; the right word in the wrong place.
      expect([judged(ioctl, [0, 0x5412]), judged(ioctl, [0x5401, 0])]).toEqual([missing, missing]);
    });

    test('calls by the numbers of another processor end the process', () => {
      for (const other of [0x4000_0003, 0x4000_0028, audit[name === 'x64' ? 'arm64' : 'x64']]) {
        expect(verdict(filter, { number: 1, processor: other })).toBe(killed);
      }
      // x32, which says that it is x64.
      expect(judged(0x4000_0001)).toBe(missing);
    });
  },
);

test('of other processors nothing is known', () => {
  const names = ['x64', 'arm64', 'arm', 'riscv64', 'toString', '__proto__'];
  expect(names.filter(isFilteredProcessor)).toEqual(['x64', 'arm64']);
});
