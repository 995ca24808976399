import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../../../src/libvirt/wire/malformed.ts';
import { XdrReader } from '../../../../src/libvirt/wire/xdr-reader.ts';

const reader = (hex: string) => new XdrReader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('XdrReader', () => {
  test('reads numbers big-endian', () => {
    expect(reader('fffffffe').u32()).toBe(4_294_967_294);
    expect(reader('fffffffe').i32()).toBe(-2);
    expect(reader('ffffffff fffffffe').u64()).toBe(18_446_744_073_709_551_614n);
    expect(reader('ffffffff fffffffe').i64()).toBe(-2n);
    expect(reader('3ff80000 00000000').double()).toBe(1.5);
  });

  test('gives 64-bit integers as numbers only where that is exact', () => {
    expect(reader('001fffff ffffffff').u64Compact()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reader('00200000 00000000').u64Compact()).toBe(9_007_199_254_740_992n);
    expect(reader('ffffffff ffffffff').u64Compact()).toBe(18_446_744_073_709_551_615n);
  });

  test('steps over the padding of strings and opaque bytes', () => {
    const both = reader('00000001 61 000000 00000005 0102030405 000000 0000002a');
    expect(both.string()).toBe('a');
    expect([...both.opaque()]).toEqual([1, 2, 3, 4, 5]);
    expect(both.u32()).toBe(42);
    expect(() => both.end()).not.toThrow();
  });

  test('reads UTF-8', () => {
    expect(reader('00000004 f09f90a2').string()).toBe('🐢');
  });

  test('copies opaque bytes out of the packet', () => {
    const packet = Buffer.from('000000040a0b0c0d', 'hex');
    const bytes = new XdrReader(packet).opaque();
    packet.fill(0);
    expect([...bytes]).toEqual([10, 11, 12, 13]);
  });

  test.each([
    ['a number cut short', '000000', (r: XdrReader) => r.u32()],
    ['a 64-bit number cut short', '00000000 000000', (r: XdrReader) => r.u64()],
    ['a string longer than the packet', '00000005 61626364', (r: XdrReader) => r.string()],
    ['a string without its padding', '00000001 61', (r: XdrReader) => r.string()],
    ['a string over 4 MiB', '00400001', (r: XdrReader) => r.string()],
    ['opaque bytes longer than the packet', 'ffffffff', (r: XdrReader) => r.opaque()],
    ['more items than there are bytes', 'ffffffff 00000000', (r: XdrReader) => r.count(4)],
    ['bytes left over', '00000000', (r: XdrReader) => r.end()],
  ])('refuses %s', (_, hex, read) => {
    expect(() => read(reader(hex))).toThrow(MalformedError);
  });
});
