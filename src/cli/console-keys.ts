/** What is typed, on its way to a guest: in order, piece by piece, and bounded. */
import { pieceBytesMax } from './console-link.ts';

/** More than anybody pastes; a guest that takes nothing for so long gets no more. */
const waitingBytesMax = 256 * 2 ** 10;

export interface KeysOptions {
  readonly type: (bytes: Uint8Array) => Promise<void>;
  /** A piece was not taken, and what waits behind it is given up with it. */
  readonly onFailure: (error: unknown) => void;
}

export class Keys {
  readonly #options: KeysOptions;
  #waiting: Uint8Array = new Uint8Array();
  #sending: Promise<void> | null = null;

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  /** @returns whether there was room for it */
  add(bytes: Uint8Array): boolean {
    if (this.#waiting.length + bytes.length > waitingBytesMax) return false;
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#sending ??= this.#send().finally(() => (this.#sending = null));
    return true;
  }

  /** Resolves when nothing waits any more. */
  async sent(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const piece = this.#waiting.subarray(0, pieceBytesMax);
      this.#waiting = this.#waiting.subarray(piece.length);
      try {
        await this.#options.type(piece);
      } catch (error) {
        this.#waiting = new Uint8Array();
        this.#options.onFailure(error);
      }
    }
  }
}
