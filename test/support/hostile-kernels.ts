/**
 * Kernels by whose header a tenant could have QEMU load something else than Linux, or read behind the end of the
 * file: one for each rule. They are made of a header that is as the boot protocol says, and boot nothing.
 */
import type { ObjectionCode } from '../../src/host/image-objection.ts';

/** Offsets of Documentation/arch/x86/boot.rst. */
const field = {
  setupSectors: 0x1f1,
  sysSize: 0x1f4,
  bootFlag: 0x1fe,
  jump: 0x200,
  signature: 0x202,
  version: 0x206,
  loadFlags: 0x211,
  initrdAddrMax: 0x22c,
  xloadFlags: 0x236,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
} as const;

const setupBytes = 5 * 512;
const codeBytes = 8192;

/** One whose setup has four sectors and the boot sector, of protocol 2.15. */
export function soundKernel(change: (kernel: Buffer) => void = () => undefined): Buffer {
  const kernel = Buffer.alloc(setupBytes + codeBytes, 0x90);
  kernel.fill(0, 0, setupBytes);
  kernel.write('MZ', 0, 'latin1');
  kernel.writeUInt8(4, field.setupSectors);
  kernel.writeUInt32LE(codeBytes / 16, field.sysSize);
  kernel.writeUInt16LE(0xaa55, field.bootFlag);
  kernel.writeUInt8(0xeb, field.jump);
  kernel.writeUInt8(0x6a, field.jump + 1);
  kernel.write('HdrS', field.signature, 'latin1');
  kernel.writeUInt16LE(0x20f, field.version);
  kernel.writeUInt8(1, field.loadFlags);
  kernel.writeUInt32LE(0x7fff_ffff, field.initrdAddrMax);
  kernel.writeUInt32LE(0x2cc, field.payloadOffset);
  kernel.writeUInt32LE(4096, field.payloadLength);
  change(kernel);
  return kernel;
}

export interface NamedKernel {
  readonly what: string;
  readonly make: () => Buffer;
}

export interface HostileKernel extends NamedKernel {
  /** How it is refused. */
  readonly code: ObjectionCode;
}

type Rule = readonly [what: string, code: ObjectionCode, make: () => Buffer];

const u8 = (at: number, value: number) => () =>
  soundKernel((kernel) => void kernel.writeUInt8(value, at));
const u16 = (at: number, value: number) => () =>
  soundKernel((kernel) => void kernel.writeUInt16LE(value, at));
const u32 = (at: number, value: number) => () =>
  soundKernel((kernel) => void kernel.writeUInt32LE(value, at));
const long = (value: number) => value >>> 0;

/** Words of 32 bits of which the last makes them amount to 0. */
function summedWords(...words: readonly number[]): Buffer {
  const bytes = Buffer.alloc((words.length + 1) * 4);
  words.forEach((word, index) => bytes.writeUInt32LE(word, index * 4));
  bytes.writeUInt32LE(long(-words.reduce((sum, word) => sum + word, 0)), words.length * 4);
  return bytes;
}

const multiboot1 = summedWords(0x1bad_b002, 0x0001_0003);
const multiboot2 = summedWords(0xe852_50d6, 0, 24);
const elf = Buffer.from('\x7fELF\x02\x01\x01', 'latin1');
const bare =
  (bytes: Buffer, at = 0) =>
  () => {
    const file = Buffer.alloc(65_536);
    bytes.copy(file, at);
    return file;
  };
const besides = (bytes: Buffer, at: number) => () =>
  soundKernel((kernel) => void bytes.copy(kernel, at));

const rules: readonly Rule[] = [
  ['nothing', 'BadGeometry', () => Buffer.alloc(0)],
  ['one byte', 'WrongFormat', () => Buffer.alloc(1)],
  ['zeroes', 'WrongFormat', () => Buffer.alloc(65_536)],
  ['text', 'WrongFormat', () => Buffer.from('#!/bin/sh\n'.repeat(1000))],
  ['gzipped', 'WrongFormat', bare(Buffer.from([0x1f, 0x8b, 8, 0]))],
  ['an ELF, such as a vmlinux with an entry for Xen (PVH)', 'WrongFormat', bare(elf)],
  ['a Multiboot kernel', 'WrongFormat', bare(multiboot1, 0x40)],
  [
    'a Multiboot kernel with its header as far back as it can be',
    'WrongFormat',
    bare(multiboot1, 8180),
  ],
  ['a Multiboot 2 kernel', 'WrongFormat', bare(multiboot2, 0x1000)],
  ['a qcow2', 'WrongFormat', bare(Buffer.from('QFI\xfb', 'latin1'))],
  ['Linux and an ELF', 'SeveralFormats', besides(elf, 0)],
  ['Linux and a Multiboot kernel', 'SeveralFormats', besides(multiboot1, 0x40)],
  ['Linux and a Multiboot 2 kernel', 'SeveralFormats', besides(multiboot2, 0x1000)],
  ['Linux and a qcow2', 'WrongFormat', besides(Buffer.from('QFI\xfb', 'latin1'), 0)],
  ['without its boot flag', 'WrongFormat', u16(field.bootFlag, 0)],
  ['without HdrS', 'WrongFormat', u32(field.signature, 0)],
  ['cut off within its header', 'WrongFormat', () => soundKernel().subarray(0, 0x260)],
  ['of version 0', 'UnknownVersion', u16(field.version, 0)],
  [
    'of version 2.01, when a command line was elsewhere',
    'UnknownVersion',
    u16(field.version, 0x201),
  ],
  ['of version 2.11', 'UnknownVersion', u16(field.version, 0x20b)],
  ['of version 2.16', 'UnknownVersion', u16(field.version, 0x210)],
  ['of version 255.255', 'UnknownVersion', u16(field.version, 0xffff)],
  ['with another jump', 'BadGeometry', u8(field.jump, 0xe9)],
  ['with a header that ends before its fields', 'BadGeometry', u8(field.jump + 1, 0x30)],
  ['with a header that ends before it begins', 'BadGeometry', u8(field.jump + 1, 0x80)],
  ['a zImage', 'UnknownFeature', u8(field.loadFlags, 0x80)],
  [
    'with an initial RAM disk below 896 MiB, as the first boot protocols have it',
    'UnknownFeature',
    u32(field.initrdAddrMax, 0x37ff_ffff),
  ],
  [
    'with an initial RAM disk almost up to 2 GiB',
    'UnknownFeature',
    u32(field.initrdAddrMax, 0x7fff_fffe),
  ],
  ['with an initial RAM disk nowhere', 'UnknownFeature', u32(field.initrdAddrMax, 0)],
  [
    'with an initial RAM disk below 896 MiB, and every other flag',
    'UnknownFeature',
    () =>
      soundKernel((kernel) => {
        kernel.writeUInt32LE(0x37ff_ffff, field.initrdAddrMax);
        kernel.writeUInt16LE(0xfffd, field.xloadFlags);
      }),
  ],
  [
    'with more setup than there is room for, all of it there',
    'BadGeometry',
    () => Buffer.concat([u8(field.setupSectors, 64)(), Buffer.alloc(65_536)]),
  ],
  ['with a setup behind its end', 'BadGeometry', u8(field.setupSectors, 63)],
  ['with a setup up to its end', 'BadGeometry', u8(field.setupSectors, 20)],
  ['without code', 'BadGeometry', u32(field.sysSize, 0)],
  ['with code behind its end', 'BadGeometry', u32(field.sysSize, codeBytes / 16 + 1)],
  ['with 64 GiB of code', 'BadGeometry', u32(field.sysSize, 0xffff_ffff)],
  ['with a length of code that wraps around', 'BadGeometry', u32(field.sysSize, 0x1000_0000)],
  ['cut off within its code', 'BadGeometry', () => soundKernel().subarray(0, setupBytes + 4096)],
  ['without a payload', 'BadGeometry', u32(field.payloadOffset, 0)],
  ['with an empty payload', 'BadGeometry', u32(field.payloadLength, 0)],
  ['with a payload behind its code', 'BadGeometry', u32(field.payloadOffset, codeBytes)],
  ['with a payload that wraps around', 'BadGeometry', u32(field.payloadLength, 0xffff_fff0)],
  [
    'longer than one may be',
    'TooLarge',
    () => Buffer.concat([soundKernel(), Buffer.alloc(48 * 2 ** 20)]),
  ],
];

export const hostileKernels: readonly HostileKernel[] = rules.map(([what, code, make]) => ({
  what,
  code,
  make,
}));

/** What honest ones are, besides that of a distribution. */
export const validKernels: readonly NamedKernel[] = [
  { what: 'protocol 2.15', make: () => soundKernel() },
  { what: 'protocol 2.12', make: u16(field.version, 0x20c) },
  { what: 'a number of setup sectors that means four', make: u8(field.setupSectors, 0) },
  {
    what: 'a signature of its maker behind its end',
    make: () => Buffer.concat([soundKernel(), Buffer.alloc(1472, 1)]),
  },
  { what: 'an end within a paragraph', make: () => soundKernel().subarray(0, -3) },
  { what: 'an initial RAM disk wherever it is', make: u32(field.initrdAddrMax, 0xffff_ffff) },
  {
    what: 'an initial RAM disk above 4 GiB, whatever is the highest address',
    make: () =>
      soundKernel((kernel) => {
        kernel.writeUInt32LE(0x37ff_ffff, field.initrdAddrMax);
        kernel.writeUInt16LE(0x02, field.xloadFlags);
      }),
  },
  { what: 'no EFI stub', make: besides(Buffer.from([0xea, 5, 0, 0xc0, 7]), 0) },
  {
    what: 'the word of Multiboot in it, and no header',
    make: besides(Buffer.from([0x02, 0xb0, 0xad, 0x1b]), 0x1000),
  },
];
