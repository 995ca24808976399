import { describe, expect, test } from 'vitest';
import { MalformedError } from '../../../../src/libvirt/wire/malformed.ts';
import { paramList, paramMap } from '../../../../src/libvirt/wire/typed-params.ts';
import { XdrReader } from '../../../../src/libvirt/wire/xdr-reader.ts';
import { XdrWriter } from '../../../../src/libvirt/wire/xdr-writer.ts';

describe('typed parameters', () => {
  test('read back as a map, 64 bits as numbers where that is exact', () => {
    const writer = new XdrWriter();
    paramList.write(writer, [
      { field: 'a', type: 'i32', value: -1 },
      { field: 'b', type: 'u32', value: 4_000_000_000 },
      { field: 'c', type: 'i64', value: -5n },
      { field: 'd', type: 'u64', value: 2n ** 64n - 1n },
      { field: 'e', type: 'double', value: 0.5 },
      { field: 'f', type: 'boolean', value: true },
      { field: 'g', type: 'string', value: 'x' },
      { field: '__proto__', type: 'i64', value: -(2n ** 63n) },
    ]);
    expect([...paramMap.read(new XdrReader(writer.bytes()))]).toEqual([
      ['a', -1],
      ['b', 4_000_000_000],
      ['c', -5],
      ['d', 18_446_744_073_709_551_615n],
      ['e', 0.5],
      ['f', true],
      ['g', 'x'],
      ['__proto__', -9_223_372_036_854_775_808n],
    ]);
  });

  test.each([
    ['a type that does not exist', '00000001 00000001 61000000 00000008 00000000'],
    ['a count beyond the packet', '00ffffff 00000000'],
  ])('refuse %s', (_, hex) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    expect(() => paramMap.read(new XdrReader(bytes))).toThrow(MalformedError);
  });
});
