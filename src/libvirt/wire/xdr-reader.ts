import { stringBytesMax } from './limits.ts';
import { MalformedError } from './malformed.ts';

/**
 * Reads XDR (RFC 4506) out of one packet: big-endian, everything padded to 4 bytes. Every
 * read checks its bounds first and throws `MalformedError` past the end, so that no length
 * field is ever believed before the bytes behind it are known to be there.
 *
 * Padding bytes are skipped, not compared with zero: libvirt itself does not check them.
 */
export class XdrReader {
  readonly #bytes: Buffer;
  #offset: number;

  constructor(bytes: Buffer, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** How many bytes have not been read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#advance(8));
  }

  i64(): bigint {
    return this.#bytes.readBigInt64BE(this.#advance(8));
  }

  /** An unsigned 64-bit integer: a number where that is exact, else a bigint. */
  u64Compact(): number | bigint {
    const offset = this.#advance(8);
    const high = this.#bytes.readUInt32BE(offset);
    return high < 0x20_0000
      ? high * 0x1_0000_0000 + this.#bytes.readUInt32BE(offset + 4)
      : this.#bytes.readBigUInt64BE(offset);
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#advance(8));
  }

  string(): string {
    const length = this.u32();
    if (length > stringBytesMax) throw new MalformedError(`a string of ${length} bytes`);
    const start = this.#advancePadded(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** Opaque bytes with a length word, copied, so that they do not hold on to the packet. */
  opaque(): Buffer {
    const length = this.u32();
    const start = this.#advancePadded(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  /** Opaque bytes of a known length, as hexadecimal digits. */
  hex(length: number): string {
    const start = this.#advancePadded(length);
    return this.#bytes.toString('hex', start, start + length);
  }

  /** A count of items of at least `itemBytesMin` bytes each, checked against what is left. */
  count(itemBytesMin: number): number {
    const count = this.u32();
    if (count * itemBytesMin > this.remaining)
      throw new MalformedError(`an array of ${count} items`);
    return count;
  }

  /** To be called after the last field: bytes left over mean that both sides disagree. */
  end(): void {
    if (this.remaining !== 0) throw new MalformedError(`${this.remaining} bytes left over`);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) {
      throw new MalformedError(`${length} bytes wanted, ${this.remaining} left`);
    }
    this.#offset = start + length;
    return start;
  }

  #advancePadded(length: number): number {
    return this.#advance(length + ((4 - (length % 4)) % 4));
  }
}
