/**
 * How the daemon and a worker tell where a message ends: four bytes of length, most significant
 * first, then as many bytes of JSON.
 */
export const headerBytes = 4;

export function frameOf(value: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(value));
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, headerBytes);
  return frame;
}

/** Puts frames together again. What it keeps is bounded by one frame, however small the pieces. */
export class FrameReader {
  readonly #bytesMax: number;
  readonly #header = Buffer.alloc(headerBytes);
  #headerRead = 0;
  #body: Uint8Array | null = null;
  #bodyRead = 0;

  /** @param bytesMax of the JSON of one frame */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.#headerRead > 0;
  }

  /** @returns the JSON of each frame that ends in this chunk; null: one is larger than it may be */
  take(chunk: Uint8Array): readonly Uint8Array[] | null {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      at += this.#body === null ? this.#takeHeader(chunk, at) : 0;
      if (this.#headerRead < headerBytes) return frames;
      const length = this.#header.readUInt32BE();
      if (length > this.#bytesMax) return null;
      this.#body ??= new Uint8Array(length);
      const piece = chunk.subarray(at, at + length - this.#bodyRead);
      this.#body.set(piece, this.#bodyRead);
      this.#bodyRead += piece.length;
      at += piece.length;
      if (this.#bodyRead < length) return frames;
      frames.push(this.#body);
      this.#reset();
    }
    return frames;
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const piece = chunk.subarray(at, at + headerBytes - this.#headerRead);
    this.#header.set(piece, this.#headerRead);
    this.#headerRead += piece.length;
    return piece.length;
  }

  #reset(): void {
    this.#headerRead = 0;
    this.#body = null;
    this.#bodyRead = 0;
  }
}
