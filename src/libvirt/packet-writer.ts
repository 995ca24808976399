import type { Socket } from 'node:net';
import { encodeHeader, type PacketHeader } from './wire/packet.ts';

/** Called when the kernel has taken the bytes, or with the reason why it has not. */
export type Written = (error?: Error | null) => void;

/** Sends packets. All that is sent in one turn of the event loop leaves in one system call. */
export class PacketWriter {
  readonly #socket: Socket;
  #isCorked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Sends a whole packet. */
  send(packet: Buffer, onWritten?: Written): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => this.#uncork());
    }
    this.#socket.write(packet, onWritten);
  }

  /** Sends raw bytes behind a header, without copying them. */
  sendRaw(header: PacketHeader, body: Buffer, onWritten?: Written): void {
    const start = encodeHeader(header, body.length);
    if (body.length === 0) return this.send(start, onWritten);
    this.send(start);
    this.send(body, onWritten);
  }

  #uncork(): void {
    this.#isCorked = false;
    this.#socket.uncork();
  }
}
