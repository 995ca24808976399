import { type Codec, type Infer, u32 } from './codec.ts';
import { MalformedError } from './malformed.ts';
import type { XdrReader } from './xdr-reader.ts';

/** Codecs made of other codecs. */

type Fields = Readonly<Record<string, Codec<unknown>>>;
type StructOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

/** Fields one after the other, in the order in which they are written down. */
export function struct<const F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields);
  return {
    bytesMin: entries.reduce((sum, [, codec]) => sum + codec.bytesMin, 0),
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = codec.read(reader);
      // Border: the loop above has just set exactly the keys of F.
      return value as StructOf<F>;
    },
    write(writer, value) {
      for (const [name, codec] of entries) codec.write(writer, value[name]);
    },
  };
}

/** A count and that many items. The count is checked against the bytes that are there. */
export function array<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    bytesMin: 4,
    read: (reader) => readItems(reader, item, reader.count(Math.max(4, item.bytesMin))),
    write(writer, value) {
      writer.u32(value.length);
      for (const element of value) item.write(writer, element);
    },
  };
}

function readItems<T>(reader: XdrReader, item: Codec<T>, count: number): readonly T[] {
  const items: T[] = [];
  for (let index = 0; index < count; index += 1) items.push(item.read(reader));
  return items;
}

/** One word that says whether a value follows. */
export function optional<T>(codec: Codec<T>): Codec<T | null> {
  return {
    bytesMin: 4,
    read(reader) {
      const present = reader.u32();
      if (present > 1)
        throw new MalformedError(`an optional field that is present ${present} times`);
      return present === 1 ? codec.read(reader) : null;
    },
    write(writer, value) {
      writer.u32(value === null ? 0 : 1);
      if (value !== null) codec.write(writer, value);
    },
  };
}

/** The same bytes, seen as another type. `from` may throw `MalformedError`. */
export function mapped<T, U>(
  codec: Codec<T>,
  from: (value: T) => U,
  to: (value: U) => T,
): Codec<U> {
  return {
    bytesMin: codec.bytesMin,
    read: (reader) => from(codec.read(reader)),
    write: (writer, value) => codec.write(writer, to(value)),
  };
}

/** A list that libvirt follows with its length once more, as the C function's return value. */
export function countedArray<T>(item: Codec<T>): Codec<readonly T[]> {
  return mapped(
    struct({ items: array(item), count: u32 }),
    ({ items }) => items,
    (items) => ({ items, count: items.length }),
  );
}
