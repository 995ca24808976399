import type { XdrReader } from './xdr-reader.ts';
import type { XdrWriter } from './xdr-writer.ts';

/**
 * A codec is a value that knows how to read and write one XDR type. Codecs compose, and their
 * TypeScript type follows from the composition, so that one line describes one procedure.
 */
export interface Codec<T> {
  /** The shortest encoding; lets an array's count be checked before anything is allocated. */
  readonly bytesMin: number;
  read(reader: XdrReader): T;
  write(writer: XdrWriter, value: T): void;
}

/** The TypeScript type of a codec's values. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

export const nothing: Codec<void> = { bytesMin: 0, read: () => {}, write: () => {} };

export const u32: Codec<number> = {
  bytesMin: 4,
  read: (reader) => reader.u32(),
  write: (writer, value) => writer.u32(value),
};

export const i32: Codec<number> = {
  bytesMin: 4,
  read: (reader) => reader.i32(),
  write: (writer, value) => writer.i32(value),
};

/** An i32 that libvirt uses as a truth value: any non-zero is true. */
export const flag: Codec<boolean> = {
  bytesMin: 4,
  read: (reader) => reader.i32() !== 0,
  write: (writer, value) => writer.i32(value ? 1 : 0),
};

export const u64: Codec<bigint> = {
  bytesMin: 8,
  read: (reader) => reader.u64(),
  write: (writer, value) => writer.u64(value),
};

export const i64: Codec<bigint> = {
  bytesMin: 8,
  read: (reader) => reader.i64(),
  write: (writer, value) => writer.i64(value),
};

/**
 * A u64 as a number where that is exact (up to 2^53 - 1), as a bigint beyond. For values that a
 * guest can influence, which must never be able to end the connection by being large.
 */
export const u64Compact: Codec<number | bigint> = {
  bytesMin: 8,
  read: (reader) => reader.u64Compact(),
  write: (writer, value) => writer.u64(BigInt(value)),
};

export const string: Codec<string> = {
  bytesMin: 4,
  read: (reader) => reader.string(),
  write: (writer, value) => writer.string(value),
};

export const opaque: Codec<Uint8Array> = {
  bytesMin: 4,
  read: (reader) => reader.opaque(),
  write: (writer, value) => writer.opaque(value),
};
