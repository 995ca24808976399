import type { Codec } from './codec.ts';
import { MalformedError } from './malformed.ts';
import type { XdrReader } from './xdr-reader.ts';
import type { XdrWriter } from './xdr-writer.ts';

/**
 * Typed parameters: libvirt's self-describing name/type/value triples, used for statistics and
 * tuning. Read, they become a Map (names come from outside, so no plain object); 64-bit
 * integers are numbers where that is exact and bigints beyond. Written, the type is part of
 * the value, for libvirtd refuses a parameter of the wrong type.
 */
export type ParamValue = number | bigint | boolean | string;
export type ParamMap = ReadonlyMap<string, ParamValue>;

export type TypedParam = { readonly field: string } & (
  | { readonly type: 'i32' | 'u32' | 'double'; readonly value: number }
  | { readonly type: 'i64' | 'u64'; readonly value: bigint }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
);

/** Field name, type word and the shortest value. */
const paramBytesMin = 12;

export const paramMap: Codec<ParamMap> = {
  bytesMin: 4,
  read(reader) {
    const count = reader.count(paramBytesMin);
    const params = new Map<string, ParamValue>();
    for (let index = 0; index < count; index += 1) params.set(reader.string(), readValue(reader));
    return params;
  },
  write() {
    throw new RangeError('typed parameters are sent with their types, as a list');
  },
};

export const paramList: Codec<readonly TypedParam[]> = {
  bytesMin: 4,
  read() {
    throw new MalformedError('typed parameters are read as a map');
  },
  write(writer, params) {
    writer.u32(params.length);
    for (const param of params) writeParam(writer, param);
  },
};

function readValue(reader: XdrReader): ParamValue {
  const type = reader.u32();
  switch (type) {
    case 1:
      return reader.i32();
    case 2:
      return reader.u32();
    case 3:
      return compact(reader.i64());
    case 4:
      return reader.u64Compact();
    case 5:
      return reader.double();
    case 6:
      return reader.i32() !== 0;
    case 7:
      return reader.string();
    default:
      throw new MalformedError(`a typed parameter of type ${type}`);
  }
}

function writeParam(writer: XdrWriter, param: TypedParam): void {
  writer.string(param.field);
  writer.u32(typeNumbers[param.type]);
  switch (param.type) {
    case 'i32':
      return writer.i32(param.value);
    case 'u32':
      return writer.u32(param.value);
    case 'i64':
      return writer.i64(param.value);
    case 'u64':
      return writer.u64(param.value);
    case 'double':
      return writer.double(param.value);
    case 'boolean':
      return writer.i32(param.value ? 1 : 0);
    case 'string':
      return writer.string(param.value);
  }
}

const typeNumbers = { i32: 1, u32: 2, i64: 3, u64: 4, double: 5, boolean: 6, string: 7 } as const;

function compact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
