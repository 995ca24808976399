/** Bytes of an Image on their way into its intake: never more than it has, and in pieces worth writing. */
import type { FetchTaker } from './image-fetcher.ts';

const pieceBytes = 2 ** 20;

/** @returns how many there are then */
export type Append = (atByte: number, bytes: Uint8Array) => Promise<number>;

export class Incoming implements FetchTaker {
  readonly #append: Append;
  readonly #sizeBytes: number;
  #pieces: Uint8Array[] = [];
  #waitingBytes = 0;
  #writtenBytes: number;
  #takenBytes = 0;
  #isTooLong = false;
  #beganAt: number | null = null;

  /** @param writtenBytes how many are there before */
  constructor(append: Append, sizeBytes: number, writtenBytes: number) {
    this.#append = append;
    this.#sizeBytes = sizeBytes;
    this.#writtenBytes = writtenBytes;
  }

  /** In the intake by now. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** In all, whether or not they are still worth anything. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** More came than there may be. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** Whether all that is there came from the start, by one answer. */
  get isOfOneAnswer(): boolean {
    return this.#beganAt === 0;
  }

  /** What is there is of no use: whoever is asked next is asked for all of it. */
  startAnew(): void {
    this.#writtenBytes = 0;
  }

  begins(atByte: number): void {
    this.#beganAt = atByte;
    this.#pieces = [];
    this.#waitingBytes = 0;
    this.#writtenBytes = atByte;
  }

  async take(bytes: Uint8Array): Promise<void> {
    this.#takenBytes += bytes.length;
    if (this.#writtenBytes + this.#waitingBytes + bytes.length > this.#sizeBytes) {
      this.#isTooLong = true;
      throw new Error('more bytes than there may be');
    }
    this.#pieces.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= pieceBytes) await this.keep();
  }

  /** But for the last piece of all: only a whole that is known to be one looks like it. */
  async keep(): Promise<void> {
    if (this.#writtenBytes + this.#waitingBytes < this.#sizeBytes) await this.finish();
  }

  /** The last piece, too. */
  async finish(): Promise<void> {
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#pieces, this.#waitingBytes);
    this.#pieces = [];
    this.#waitingBytes = 0;
    this.#writtenBytes = await this.#append(this.#writtenBytes, bytes);
  }
}
