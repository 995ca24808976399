import { packetBytesMax, stringBytesMax } from './limits.ts';

/**
 * Writes XDR into one growing buffer. What cannot be sent is a `RangeError` here, before a
 * single byte has gone out: the fault is the caller's, and the connection lives on.
 */
export class XdrWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw outOfRange(value, 'u32');
    const offset = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, offset);
  }

  i32(value: number): void {
    if ((value | 0) !== value) throw outOfRange(value, 'i32');
    const offset = this.#reserve(4);
    this.#bytes.writeInt32BE(value, offset);
  }

  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw outOfRange(value, 'u64');
    const offset = this.#reserve(8);
    this.#bytes.writeBigUInt64BE(value, offset);
  }

  i64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange(value, 'i64');
    const offset = this.#reserve(8);
    this.#bytes.writeBigInt64BE(value, offset);
  }

  double(value: number): void {
    const offset = this.#reserve(8);
    this.#bytes.writeDoubleBE(value, offset);
  }

  /** Refuses NUL and lone surrogates: libvirtd, in C, would read another string than was meant. */
  string(value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    if (length > stringBytesMax) {
      throw new RangeError(
        `a string of ${length} bytes is longer than the ${stringBytesMax} allowed`,
      );
    }
    if (unsendable.test(value)) throw new RangeError('a string holds NUL or half a surrogate pair');
    this.u32(length);
    const offset = this.#reservePadded(length);
    this.#bytes.write(value, offset, length, 'utf8');
  }

  opaque(value: Uint8Array): void {
    this.u32(value.length);
    this.opaqueFixed(value);
  }

  opaqueFixed(value: Uint8Array): void {
    const offset = this.#reservePadded(value.length);
    this.#bytes.set(value, offset);
  }

  /** The bytes so far; the length word at the front is set to their number. */
  packet(): Buffer {
    this.#bytes.writeUInt32BE(this.#length, 0);
    return this.#bytes.subarray(0, this.#length);
  }

  /** The bytes so far, as they are. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reservePadded(length: number): number {
    const padding = (4 - (length % 4)) % 4;
    const offset = this.#reserve(length + padding);
    this.#bytes.fill(0, offset + length, offset + length + padding);
    return offset;
  }

  #reserve(length: number): number {
    const offset = this.#length;
    const needed = offset + length;
    if (needed > packetBytesMax) throw new RangeError(`a call of over ${packetBytesMax} bytes`);
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, offset);
      this.#bytes = grown;
    }
    this.#length = needed;
    return offset;
  }
}

const unsendable = /\0|\p{Surrogate}/u;

function outOfRange(value: number | bigint, type: string): RangeError {
  return new RangeError(`${value} does not fit into ${type}`);
}
