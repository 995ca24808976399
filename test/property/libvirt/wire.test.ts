import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Codec,
  flag,
  i32,
  i64,
  opaque,
  string,
  u32,
  u64,
  u64Compact,
} from '../../../src/libvirt/wire/codec.ts';
import { array, countedArray, optional, struct } from '../../../src/libvirt/wire/combinators.ts';
import { FrameSplitter } from '../../../src/libvirt/wire/frame-splitter.ts';
import { MalformedError } from '../../../src/libvirt/wire/malformed.ts';
import { paramList, paramMap, type TypedParam } from '../../../src/libvirt/wire/typed-params.ts';
import { uuid } from '../../../src/libvirt/wire/uuid.ts';
import { XdrReader } from '../../../src/libvirt/wire/xdr-reader.ts';
import { XdrWriter } from '../../../src/libvirt/wire/xdr-writer.ts';
import { noneBut, thrownBy } from './thrown-by.ts';

function encode<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new XdrWriter();
  codec.write(writer, value);
  return writer.bytes();
}

const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = fc.uint8Array().map((value) => Buffer.from(value));

const everything = struct({
  flag,
  small: i32,
  large: u32,
  huge: u64,
  negative: i64,
  name: string,
  raw: opaque,
  id: uuid,
  maybe: optional(string),
  many: array(struct({ key: string, value: optional(u64) })),
  counted: countedArray(i32),
});

const anything = fc.record({
  flag: fc.boolean(),
  small: int32,
  large: uint32,
  huge: uint64,
  negative: int64,
  name: text,
  raw: bytes,
  id: fc.uuid(),
  maybe: fc.option(text),
  many: fc.array(fc.record({ key: text, value: fc.option(uint64) })),
  counted: fc.array(int32),
});

const params: fc.Arbitrary<TypedParam> = fc.oneof(
  fc.record({ field: text, type: fc.constantFrom('i32' as const), value: int32 }),
  fc.record({ field: text, type: fc.constantFrom('u32' as const), value: uint32 }),
  fc.record({ field: text, type: fc.constantFrom('i64' as const), value: int64 }),
  fc.record({ field: text, type: fc.constantFrom('u64' as const), value: uint64 }),
  fc.record({ field: text, type: fc.constantFrom('double' as const), value: fc.double() }),
  fc.record({ field: text, type: fc.constantFrom('boolean' as const), value: fc.boolean() }),
  fc.record({ field: text, type: fc.constantFrom('string' as const), value: text }),
);

describe('codecs', () => {
  test('read what they have written, to the last byte, and in whole words', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const encoded = encode(everything, value);
        const reader = new XdrReader(encoded);
        expect(everything.read(reader)).toEqual(value);
        expect(reader.remaining).toBe(0);
        expect(encoded.length % 4).toBe(0);
        expect(encoded.length).toBeGreaterThanOrEqual(everything.bytesMin);
      }),
    );
  });

  test('give a 64-bit integer as a number exactly where that is the same', () => {
    fc.assert(
      fc.property(uint64, (value) => {
        const read = u64Compact.read(new XdrReader(encode(u64, value)));
        expect(BigInt(read)).toBe(value);
        expect(typeof read).toBe(value <= BigInt(Number.MAX_SAFE_INTEGER) ? 'number' : 'bigint');
      }),
    );
  });

  test('read typed parameters as a map of the last value of each name', () => {
    fc.assert(
      fc.property(fc.array(params), (list) => {
        const map = paramMap.read(new XdrReader(encode(paramList, list)));
        const expected = new Map(list.map(({ field, value }) => [field, value]));
        expect([...map.keys()]).toEqual([...expected.keys()]);
        for (const [field, value] of expected) {
          const read = map.get(field);
          // Numbers stand for bigints where they are exact.
          expect(typeof value === 'bigint' ? BigInt(read ?? Number.NaN) : read).toBe(value);
        }
      }),
    );
  });

  test('read anything cut short as malformed', () => {
    fc.assert(
      fc.property(anything, fc.nat(), (value, cut) => {
        const encoded = encode(everything, value);
        const short = encoded.subarray(0, cut % encoded.length);
        expect(() => everything.read(new XdrReader(short))).toThrow(MalformedError);
      }),
    );
  });
});

describe('the frame splitter', () => {
  const packet = fc.uint8Array({ minLength: 24, maxLength: 300 }).map((body) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length + 4);
    return Buffer.concat([length, body]);
  });

  test('finds the same packets however the bytes are cut up', () => {
    fc.assert(
      fc.property(fc.array(packet), fc.array(fc.nat({ max: 100 })), (packets, cuts) => {
        const stream = Buffer.concat(packets);
        const found: string[] = [];
        const splitter = new FrameSplitter((each) => found.push(each.toString('hex')));
        let offset = 0;
        for (const cut of [...cuts, stream.length]) {
          splitter.push(stream.subarray(offset, offset + cut));
          offset = Math.min(stream.length, offset + cut);
        }
        expect(found).toEqual(packets.map((each) => each.toString('hex')));
        expect(splitter.isMidPacket).toBe(false);
      }),
    );
  });

  test('throws nothing but MalformedError, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const splitter = new FrameSplitter((each) => {
          expect(each.length).toBe(each.readUInt32BE(0));
        });
        const push = () => chunks.forEach((chunk) => splitter.push(Buffer.from(chunk)));
        expect(thrownBy(push)).toSatisfy(noneBut(MalformedError));
      }),
    );
  });
});
