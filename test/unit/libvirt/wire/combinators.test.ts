import { describe, expect, test } from 'vitest';
import { type Codec, string, u32, u64 } from '../../../../src/libvirt/wire/codec.ts';
import { array, countedArray, optional, struct } from '../../../../src/libvirt/wire/combinators.ts';
import { MalformedError } from '../../../../src/libvirt/wire/malformed.ts';
import { XdrReader } from '../../../../src/libvirt/wire/xdr-reader.ts';
import { XdrWriter } from '../../../../src/libvirt/wire/xdr-writer.ts';

function encode<T>(codec: Codec<T>, value: T): string {
  const writer = new XdrWriter();
  codec.write(writer, value);
  return writer.bytes().toString('hex');
}

const decode = <T>(codec: Codec<T>, hex: string): T =>
  codec.read(new XdrReader(Buffer.from(hex, 'hex')));

describe('struct', () => {
  const point = struct({ x: u32, name: string });

  test('writes its fields in the order of the codec, not of the value', () => {
    expect(encode(point, { name: 'a', x: 1 })).toBe('000000010000000161000000');
  });

  test('adds up the least that its fields take', () => {
    expect(struct({ a: u64, b: point }).bytesMin).toBe(16);
  });
});

describe('array', () => {
  test('writes a count and the items', () => {
    expect(encode(array(u32), [7, 8])).toBe('000000020000000700000008');
    expect(decode(array(u32), '000000020000000700000008')).toEqual([7, 8]);
  });

  test('refuses a count that the bytes behind it cannot hold, before reading any', () => {
    expect(() => decode(array(u32), 'ffffffff00000000')).toThrow('an array of 4294967295 items');
    expect(() => decode(array(struct({ a: u64, b: u64 })), '0000000200000000')).toThrow(
      MalformedError,
    );
  });

  test('is followed by its length again where libvirt does that', () => {
    expect(encode(countedArray(u32), [7])).toBe('000000010000000700000001');
    expect(decode(countedArray(u32), '000000010000000700000001')).toEqual([7]);
  });
});

describe('optional', () => {
  test('writes a word that says whether there is a value', () => {
    expect(encode(optional(u32), 5)).toBe('0000000100000005');
    expect(encode(optional(u32), null)).toBe('00000000');
    expect(decode(optional(u32), '00000000')).toBeNull();
  });

  test('refuses any other word', () => {
    expect(() => decode(optional(u32), '0000000200000005')).toThrow(MalformedError);
  });
});
