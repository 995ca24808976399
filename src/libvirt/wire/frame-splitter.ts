import { packetBytesMax, packetBytesMin } from './limits.ts';
import { MalformedError } from './malformed.ts';

/**
 * Cuts a byte stream into packets. A packet that lies whole inside one chunk is handed on as a
 * view of it, without a copy; one that is spread over chunks is copied once, into a buffer of
 * its final size, which is taken only after its length has been found within bounds.
 */
export class FrameSplitter {
  readonly #onPacket: (packet: Buffer) => void;
  readonly #prefix = Buffer.alloc(4);
  #prefixBytes = 0;
  #partial: Buffer | undefined;
  #partialBytes = 0;

  constructor(onPacket: (packet: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  /** Whether the bytes so far end in the middle of a packet. */
  get isMidPacket(): boolean {
    return this.#prefixBytes > 0 || this.#partial !== undefined;
  }

  /** Takes the next bytes; throws `MalformedError` at a length out of bounds. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset = this.isMidPacket ? this.#resume(chunk, offset) : this.#begin(chunk, offset);
    }
  }

  #begin(chunk: Buffer, offset: number): number {
    if (chunk.length - offset < 4) return this.#gatherPrefix(chunk, offset);
    const length = checkedLength(chunk.readUInt32BE(offset));
    if (chunk.length - offset >= length) {
      this.#onPacket(chunk.subarray(offset, offset + length));
      return offset + length;
    }
    this.#partial = Buffer.allocUnsafe(length);
    return this.#gather(this.#partial, chunk, offset);
  }

  #resume(chunk: Buffer, offset: number): number {
    return this.#partial === undefined
      ? this.#gatherPrefix(chunk, offset)
      : this.#gather(this.#partial, chunk, offset);
  }

  #gatherPrefix(chunk: Buffer, offset: number): number {
    const copied = chunk.copy(this.#prefix, this.#prefixBytes, offset);
    this.#prefixBytes += copied;
    if (this.#prefixBytes === 4) {
      this.#partial = Buffer.allocUnsafe(checkedLength(this.#prefix.readUInt32BE(0)));
      this.#prefix.copy(this.#partial);
      this.#partialBytes = 4;
      this.#prefixBytes = 0;
    }
    return offset + copied;
  }

  #gather(partial: Buffer, chunk: Buffer, offset: number): number {
    const copied = chunk.copy(partial, this.#partialBytes, offset);
    this.#partialBytes += copied;
    if (this.#partialBytes === partial.length) {
      this.#partial = undefined;
      this.#partialBytes = 0;
      this.#onPacket(partial);
    }
    return offset + copied;
  }
}

function checkedLength(length: number): number {
  if (length < packetBytesMin || length > packetBytesMax) {
    throw new MalformedError(`a packet of ${length} bytes`);
  }
  return length;
}
