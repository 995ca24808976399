import { describe, expect, test } from 'vitest';
import { XdrWriter } from '../../../../src/libvirt/wire/xdr-writer.ts';

function written(write: (writer: XdrWriter) => void): string {
  const writer = new XdrWriter();
  write(writer);
  return writer.bytes().toString('hex');
}

describe('XdrWriter', () => {
  test('pads with zeros, whatever was in the buffer before', () => {
    expect(written((writer) => writer.string('abcde'))).toBe('000000056162636465000000');
  });

  test('counts bytes, not characters', () => {
    expect(written((writer) => writer.string('é'))).toBe('00000002c3a90000');
  });

  test('grows past its first buffer', () => {
    const long = 'x'.repeat(100_000);
    const bytes = Buffer.from(
      written((writer) => {
        writer.u32(7);
        writer.string(long);
      }),
      'hex',
    );
    expect(bytes.length).toBe(8 + 100_000);
    expect(bytes.readUInt32BE(0)).toBe(7);
    expect(bytes.toString('utf8', 8)).toBe(long);
  });

  test.each<[string, (writer: XdrWriter) => void]>([
    ['a fraction', (writer) => writer.u32(1.5)],
    ['a negative u32', (writer) => writer.u32(-1)],
    ['a u32 over 32 bits', (writer) => writer.u32(2 ** 32)],
    ['an i32 over 31 bits', (writer) => writer.i32(2 ** 31)],
    ['not a number', (writer) => writer.i32(Number.NaN)],
    ['a negative u64', (writer) => writer.u64(-1n)],
    ['an i64 over 63 bits', (writer) => writer.i64(2n ** 63n)],
    ['a string with NUL, which C would cut there', (writer) => writer.string('vm\0evil')],
    ['half a surrogate pair', (writer) => writer.string('\ud800')],
    ['a string over 4 MiB', (writer) => writer.string('x'.repeat(4_194_305))],
    [
      'more than fits into a packet',
      (writer) => {
        for (let index = 0; index < 9; index += 1) writer.string('x'.repeat(4_194_304));
      },
    ],
  ])('refuses %s', (_, write) => {
    expect(() => write(new XdrWriter())).toThrow(RangeError);
  });
});
